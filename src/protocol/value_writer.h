// The one interface between what is read (jsonb, SQL values, rows) and what is written (JSON, msgpack).
//
// A reader walks its input and reports each value, in order, to a writer. Any class with the members below is a
// writer; readers and messages are templates over it, so every reader works with every writer and the calls
// cost nothing. JsonWriter and MsgpackWriter are the two there are.
//
//     void null();
//     void boolean(bool value);
//     void integer(std::int64_t value);
//     void number(std::string_view decimal);   digits as jsonb prints them: -?D+(.D+)?, never an exponent
//     void string(std::string_view utf8);
//     void binary(std::string_view bytes);
//     void begin_array(std::uint32_t count);   exactly `count` values follow, then
//     void end_array();
//     void begin_object(std::uint32_t count);  exactly `count` pairs follow: key(), then one value; then
//     void end_object();
//     void key(std::string_view utf8);
//     void string_of_units(std::string_view text);   the same for text that, if kKeepsSurrogates, may hold surrogates,
//     void key_of_units(std::string_view text);      encoded as UTF-8 would if they were characters
//     void key(const EncodedKey& key);         the same, encoded beforehand
//     void fixed(const FixedTokens& tokens);   a run of tokens fixed in the source
//     void encoded(const EncodedValues& values);   values that a writer of the same kind has written, one behind another
//     bool takes_string(std::size_t size);     asked before a string or binary that is dear to get at: when the
//     bool takes_binary();                     answer is no, the writer counts as if it had met the value
//     bool holds_binary() const;               whether it has met any
//     bool stopped() const;                    what is written from here on is lost: the reader may return early
//
// All text is UTF-8. A writer checks neither counts nor nesting: unit tests hold the readers to them.

#pragma once
