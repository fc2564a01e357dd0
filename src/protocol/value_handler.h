// The interface between how a value comes in (JSON, msgpack) and what is made of it: value_writer.h the other way round.
//
// A parser reports each value, in order, to a handler, which is any class with the members below. Nothing is known
// beforehand, neither of the length of what begins nor of its end, and text is as the stranger who sent it wrote it: UTF-8,
// if he meant well.
//
//     void null();
//     void boolean(bool value);
//     void integer(std::int64_t value);
//     void large_integer(std::uint64_t value);   one that is no int64
//     void real(double value);                   not always finite
//     void string(std::string_view text);
//     void binary(std::string_view bytes);
//     void begin_array();                        values, then
//     void end_array();
//     void begin_object();                       pairs: key(), then one value; then
//     void end_object();
//     void key(std::string_view text);

#pragma once
