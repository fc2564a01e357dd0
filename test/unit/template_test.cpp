#include "protocol/template.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/random_document.h"

namespace socketio {

bool operator==(const TemplateToken& a, const TemplateToken& b) {
    return a.kind == b.kind && a.text == b.text && a.is_quoted == b.is_quoted;
}

void PrintTo(const TemplateToken& token, std::ostream* out) {
    *out << (token.kind == TemplateToken::Kind::kText ? "text \"" : "name \"") << token.text
         << (token.is_quoted ? "\" in quotes" : "\"");
}

namespace template_test {
namespace {

using namespace std::string_view_literals;

using Texts = std::vector<std::string_view>;
using Tokens = std::vector<TemplateToken>;

TemplateToken text(std::string_view text) { return {TemplateToken::Kind::kText, text}; }
TemplateToken name(std::string_view name) { return {TemplateToken::Kind::kPlaceholder, name}; }
TemplateToken quoted(std::string_view name) { return {TemplateToken::Kind::kPlaceholder, name, true}; }

constexpr auto kStrayEnd = "has a } without a {; a brace is written }}";
constexpr auto kNoEnd = "has a { without a }; a brace is written {{";
constexpr auto kNoName = "has braces without a name in them";
constexpr auto kNested = "has a { inside of braces; a name with one in it is written in double quotes";

// trim()

TEST(Trim, TakesBlanksFromBothEndsAlone) {
    EXPECT_EQ(trim("a"), "a");
    EXPECT_EQ(trim(" a"), "a");
    EXPECT_EQ(trim("a "), "a");
    EXPECT_EQ(trim(" \t\n\r\f\va b\v\f\r\n\t "), "a b");
    EXPECT_EQ(trim("a  b"), "a  b");
}

TEST(Trim, LeavesNothingOfBlanks) {
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim(std::string_view()), "");
    EXPECT_EQ(trim(" "), "");
    EXPECT_EQ(trim(" \t\n\r\f\v"), "");
}

TEST(Trim, KnowsTheSixBlanksOfAscii) {
    const std::string blanks = " \t\n\r\f\v";
    for (int byte = 0; byte < 0x100; ++byte) {
        const std::string character(1, static_cast<char>(byte));
        const bool is_blank = blanks.find(character) != std::string::npos;
        EXPECT_EQ(trim(character + "a" + character), is_blank ? "a" : character + "a" + character) << byte;
    }
}

TEST(Trim, IsAViewOfWhatItWasGiven) {
    const std::string_view given = "  a b ";
    EXPECT_EQ(trim(given).data(), given.data() + 2);
}

// take_template()

// All of a list; a list of n bytes has n + 1 templates at most.
Texts split(std::string_view list) {
    const std::size_t most = list.size() + 1;
    Texts templates;
    do {
        templates.push_back(take_template(list));
    } while (list.data() != nullptr && templates.size() <= most);
    return templates;
}

TEST(TakeTemplate, TakesOneAfterTheOther) {
    std::string_view list = " user:{user_id} , staff,x";
    EXPECT_EQ(take_template(list), "user:{user_id}");
    EXPECT_EQ(list, " staff,x");
    EXPECT_EQ(take_template(list), "staff");
    EXPECT_EQ(list, "x");
    EXPECT_EQ(take_template(list), "x");
    EXPECT_EQ(list.data(), nullptr);
    EXPECT_TRUE(list.empty());
}

TEST(TakeTemplate, LeavesNoDataBehindTheLastAlone) {
    std::string_view list = "a,";
    EXPECT_EQ(take_template(list), "a");
    EXPECT_NE(list.data(), nullptr) << "one more, which is empty";
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(take_template(list), "");
    EXPECT_EQ(list.data(), nullptr);
}

TEST(TakeTemplate, TakesOneMoreThanThereAreCommas) {
    EXPECT_EQ(split(""), Texts{""});
    EXPECT_EQ(split(std::string_view()), Texts{""});
    EXPECT_EQ(split("a"), Texts{"a"});
    EXPECT_EQ(split("user:{id},"), (Texts{"user:{id}", ""}));
    EXPECT_EQ(split(",a"), (Texts{"", "a"}));
    EXPECT_EQ(split(","), (Texts{"", ""}));
    EXPECT_EQ(split("a,,b"), (Texts{"a", "", "b"}));
    EXPECT_EQ(split(" , ,\t"), (Texts{"", "", ""}));
    EXPECT_EQ(split("a , b\n,\tc d "), (Texts{"a", "b", "c d"}));
    EXPECT_EQ(split(std::string(1000, ',')).size(), 1001U);
}

TEST(TakeTemplate, LeavesCommasInsidePlaceholders) {
    EXPECT_EQ(split("{a,b}"), Texts{"{a,b}"});
    EXPECT_EQ(split("{,}"), Texts{"{,}"});
    EXPECT_EQ(split("x{a,b},{c}y,{d,}"), (Texts{"x{a,b}", "{c}y", "{d,}"}));
    EXPECT_EQ(split("{ a , b }, c"), (Texts{"{ a , b }", "c"})) << "and blanks";
}

TEST(TakeTemplate, LeavesCommasAndBracesInsideQuotes) {
    EXPECT_EQ(split(R"({"a,b"},c)"), (Texts{R"({"a,b"})", "c"}));
    EXPECT_EQ(split(R"({"a},b"},c)"), (Texts{R"({"a},b"})", "c"}));
    EXPECT_EQ(split(R"({"a"",}"},{"{,"})"), (Texts{R"({"a"",}"})", R"({"{,"})"}));
    EXPECT_EQ(split(R"({"a},b)"), (Texts{R"({"a})", "b"})) << "quotes nothing";
    EXPECT_EQ(split(R"("a,b")"), (Texts{"\"a", "b\""})) << "no name";
}

TEST(TakeTemplate, SplitsAtCommasBehindBraces) {
    EXPECT_EQ(split("{{a,b}}"), (Texts{"{{a", "b}}"}));
    EXPECT_EQ(split("{{,}}"), (Texts{"{{", "}}"}));
    EXPECT_EQ(split("{{{a,b}}},c"), (Texts{"{{{a,b}}}", "c"}));
    EXPECT_EQ(split("{{{{a,b}}}}"), (Texts{"{{{{a", "b}}}}"}));
    EXPECT_EQ(split("{{{{{a,b}"), Texts{"{{{{{a,b}"});
    EXPECT_EQ(split("{a}}},b"), (Texts{"{a}}}", "b"}));
}

// What is malformed is split where it makes sense to the reader of an error, and never beyond the list.
TEST(TakeTemplate, SplitsWhatIsMalformed) {
    EXPECT_EQ(split("{"), Texts{"{"});
    EXPECT_EQ(split("{,"), (Texts{"{", ""}));
    EXPECT_EQ(split("user:{user_id,staff"), (Texts{"user:{user_id", "staff"}));
    EXPECT_EQ(split("user:{user_id,staff}"), Texts{"user:{user_id,staff}"});
    EXPECT_EQ(split("user:user_id},staff"), (Texts{"user:user_id}", "staff"}));
    EXPECT_EQ(split("{},a"), (Texts{"{}", "a"}));
    EXPECT_EQ(split("{a{b,c},d"), (Texts{"{a{b,c}", "d"}));
    EXPECT_EQ(split("{a},{b,c"), (Texts{"{a}", "{b", "c"}));
}

TEST(TakeTemplate, LooksNoFurtherThanTheView) {
    std::string_view list = "{a,b}"sv.substr(0, 4);
    EXPECT_EQ(take_template(list), "{a");
    EXPECT_EQ(take_template(list), "b");
    EXPECT_EQ(list.data(), nullptr);
    EXPECT_EQ(split("{{a"sv.substr(0, 1)), Texts{"{"});
}

TEST(TakeTemplate, TakesBytesThatAreNotAsciiAsTheyAre) {
    EXPECT_EQ(split("gr\xC3\xB6\xC3\x9F"
                    "e:{gr\xC3\xB6\xC3\x9F"
                    "e} , \xE2\x82\xAC"),
              (Texts{"gr\xC3\xB6\xC3\x9F"
                     "e:{gr\xC3\xB6\xC3\x9F"
                     "e}",
                     "\xE2\x82\xAC"}));
    EXPECT_EQ(split("\xA0,\x85\xFF"), (Texts{"\xA0", "\x85\xFF"})) << "blanks of LATIN1, but not of ASCII";
    EXPECT_EQ(split("a\0b,\0"sv), (Texts{"a\0b"sv, "\0"sv}));
}

// TemplateReader

struct Reading {
    Tokens tokens;
    const char* problem;
};

Reading read(std::string_view source) {
    Reading reading;
    TemplateReader reader(source);
    TemplateToken token;
    while (reader.next(token)) {
        EXPECT_EQ(reader.problem(), nullptr) << source;
        reading.tokens.push_back(token);
    }
    reading.problem = reader.problem();
    return reading;
}

void expect_tokens(std::string_view source, const Tokens& tokens) {
    const Reading reading = read(source);
    EXPECT_EQ(reading.tokens, tokens) << source;
    EXPECT_STREQ(reading.problem, nullptr) << source;
}

// `tokens` are those before what is wrong.
void expect_problem(std::string_view source, const char* problem, const Tokens& tokens = {}) {
    const Reading reading = read(source);
    EXPECT_STREQ(reading.problem, problem) << source;
    EXPECT_EQ(reading.tokens, tokens) << source;
}

TEST(TemplateReader, ReadsNothingOfNothing) {
    expect_tokens("", {});
    expect_tokens(std::string_view(), {});
}

TEST(TemplateReader, ReadsTextAndPlaceholders) {
    expect_tokens("staff", {text("staff")});
    expect_tokens("{id}", {name("id")});
    expect_tokens("user:{user_id}", {text("user:"), name("user_id")});
    expect_tokens("{table}:{op}", {name("table"), text(":"), name("op")});
    expect_tokens("{a}{b}", {name("a"), name("b")});
    expect_tokens("a, b", {text("a, b")});
}

TEST(TemplateReader, ReadsPairsOfBracesAsABraceEach) {
    expect_tokens("{{", {text("{")});
    expect_tokens("}}", {text("}")});
    expect_tokens("{{{{", {text("{"), text("{")});
    expect_tokens("}}{{", {text("}"), text("{")});
    expect_tokens("a{{b}}c", {text("a"), text("{"), text("b"), text("}"), text("c")});
    expect_tokens("{{}}", {text("{"), text("}")});
    expect_tokens("{{id}}", {text("{"), text("id"), text("}")});
}

TEST(TemplateReader, ReadsPairsOfBracesBeforePlaceholders) {
    expect_tokens("{{{id}}}", {text("{"), name("id"), text("}")});
    expect_tokens("{{{{{id}", {text("{"), text("{"), name("id")});
    expect_tokens("{id}}}", {name("id"), text("}")});
    expect_tokens("{id}}}}}x", {name("id"), text("}"), text("}"), text("x")});
    expect_tokens("{{{a}}}{{{b}}}", {text("{"), name("a"), text("}"), text("{"), name("b"), text("}")});
}

TEST(TemplateReader, LeavesNamesAsTheyAre) {
    expect_tokens("{ id }", {name(" id ")});
    expect_tokens("{ }", {name(" ")});
    expect_tokens("{a,b}", {name("a,b")});
    expect_tokens("{User Name}", {name("User Name")});
    expect_tokens(
        "{gr\xC3\xB6\xC3\x9F"
        "e}",
        {name("gr\xC3\xB6\xC3\x9F"
              "e")});
    expect_tokens("{\xFF\x80}", {name("\xFF\x80")});
    expect_tokens("{a\0b}"sv, {name("a\0b"sv)});
}

TEST(TemplateReader, ReadsNamesInQuotes) {
    expect_tokens(R"({"id"})", {quoted("id")});
    expect_tokens(R"({"odd{name"})", {quoted("odd{name")});
    expect_tokens(R"(a{"}"}b{"{{,}}"}{c})", {text("a"), quoted("}"), text("b"), quoted("{{,}}"), name("c")});
    expect_tokens(R"({" a "})", {quoted(" a ")});
    expect_tokens(R"({"a""b"})", {quoted(R"(a""b)")});
    expect_tokens(R"({""""})", {quoted(R"("")")});
    expect_tokens(R"({"""}"})", {quoted(R"(""})")});
    expect_tokens(R"({{{"a"}}})", {text("{"), quoted("a"), text("}")});
}

TEST(TemplateReader, LeavesQuotesThatDoNotQuote) {
    expect_tokens(R"({a"b})", {name(R"(a"b)")});
    expect_tokens(R"({"a})", {name(R"("a)")});
    expect_tokens(R"({a"})", {name(R"(a")")});
    expect_tokens(R"({"})", {name(R"(")")});
    expect_tokens(R"({""})", {name(R"("")")});
    expect_tokens(R"({"a"b})", {name(R"("a"b)")});
    expect_tokens(R"({ "a"})", {name(R"( "a")")});
    expect_tokens(R"("{a}")", {text("\""), name("a"), text("\"")});
    expect_problem(R"({"a"b{"})", kNested);
    expect_problem(R"({"a")", kNoEnd);
}

TEST(TemplateReader, LeavesTextAsItIs) {
    expect_tokens(" a\t", {text(" a\t")});
    expect_tokens(" {id} ", {text(" "), name("id"), text(" ")});
    expect_tokens("\xE2\x82\xAC:{id}\xF0\x9F\x98\x80", {text("\xE2\x82\xAC:"), name("id"), text("\xF0\x9F\x98\x80")});
    expect_tokens("\xFF{{\x80", {text("\xFF"), text("{"), text("\x80")});
    expect_tokens("a\0b"sv, {text("a\0b"sv)});
    expect_tokens(R"(\{{$%s)", {text(R"(\)"), text("{"), text("$%s")});
}

TEST(TemplateReader, ReportsAnEndWithoutABeginning) {
    expect_problem("}", kStrayEnd);
    expect_problem("a}", kStrayEnd, {text("a")});
    expect_problem("a}b{c}", kStrayEnd, {text("a")});
    expect_problem("}}}", kStrayEnd, {text("}")});
    expect_problem("{id}}", kStrayEnd, {name("id")});
    expect_problem("{{id}", kStrayEnd, {text("{"), text("id")});
    expect_problem("{{id}}}", kStrayEnd, {text("{"), text("id"), text("}")});
    expect_problem("{{{id}}", kStrayEnd, {text("{"), name("id")});
    expect_problem("{{}", kStrayEnd, {text("{")});
    expect_problem("} }", kStrayEnd);
}

TEST(TemplateReader, ReportsABeginningWithoutAnEnd) {
    expect_problem("{", kNoEnd);
    expect_problem("{{{", kNoEnd, {text("{")});
    expect_problem("user:{user_id", kNoEnd, {text("user:")});
    expect_problem("{a}{", kNoEnd, {name("a")});
    expect_problem("{ {", kNoEnd);
}

TEST(TemplateReader, ReportsAMissingName) {
    expect_problem("{}", kNoName);
    expect_problem("{}}", kNoName);
    expect_problem("a{}b", kNoName, {text("a")});
    expect_problem("{{{}}}", kNoName, {text("{")});
}

TEST(TemplateReader, ReportsABraceInAName) {
    expect_problem("{a{b}", kNested);
    expect_problem("{a{b}}", kNested);
    expect_problem("{a{{b}", kNested);
    expect_problem("x{a{}", kNested, {text("x")});
}

TEST(TemplateReader, StaysWhereItFailed) {
    for (const auto& [source, problem] : std::vector<std::pair<const char*, const char*>>{
             {"}a", kStrayEnd}, {"{a", kNoEnd}, {"{}a", kNoName}, {"{a{b}c", kNested}}) {
        TemplateReader reader(source);
        TemplateToken token;
        for (int i = 0; i < 3; ++i) {
            EXPECT_FALSE(reader.next(token)) << source;
            EXPECT_STREQ(reader.problem(), problem) << source;
        }
    }
}

TEST(TemplateReader, StaysAtTheEnd) {
    TemplateReader reader("a");
    TemplateToken token;
    EXPECT_TRUE(reader.next(token));
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(reader.next(token));
        EXPECT_EQ(reader.problem(), nullptr);
    }
}

TEST(TemplateReader, LooksNoFurtherThanTheView) {
    expect_tokens("ab{c}"sv.substr(0, 2), {text("ab")});
    expect_tokens("{ab}}"sv.substr(0, 4), {name("ab")});
    expect_problem("{ab}"sv.substr(0, 3), kNoEnd);
    expect_problem("{{"sv.substr(0, 1), kNoEnd);
    expect_problem("}}"sv.substr(0, 1), kStrayEnd);
}

TEST(TemplateReader, GivesViewsOfTheTemplate) {
    const std::string source = "a{{b}}{id}";
    const char* end = source.data();
    for (const TemplateToken& token : read(source).tokens) {
        EXPECT_GE(token.text.data(), end);
        end = token.text.data() + token.text.size();
    }
    EXPECT_EQ(end, source.data() + source.size() - 1);
}

// Both together, on whatever braces, commas and blanks may come to.

std::string random_source(RandomDocument& random) {
    constexpr std::string_view kCharacters = "{{{}}},, \"\"ab\xC3";
    std::string source(random.below(10), '\0');
    for (char& character : source) {
        character = kCharacters[random.below(kCharacters.size())];
    }
    return source;
}

std::string as_source(const Tokens& tokens) {
    std::string source;
    for (const TemplateToken& token : tokens) {
        const bool is_brace = token == text("{") || token == text("}");
        const bool is_name = token.kind == TemplateToken::Kind::kPlaceholder;
        const std::string_view quote = token.is_quoted ? "\"" : "";
        source.append(is_name ? "{" : "").append(quote).append(token.text).append(quote);
        source.append(is_name ? "}" : is_brace ? token.text : "");
    }
    return source;
}

TEST(TemplateReader, AcceptsWhatIsWellFormedAndLosesNothing) {
    const std::regex well_formed(R"re(([^{}]|\{\{|\}\}|\{[^{}]+\}|\{"([^"]|"")+"\})*)re");
    RandomDocument random(17);
    int accepted = 0;
    for (int i = 0; i < 20000; ++i) {
        const std::string source = random_source(random);
        const Reading reading = read(source);
        const std::string read_source = as_source(reading.tokens);
        ASSERT_EQ(reading.problem == nullptr, std::regex_match(source, well_formed)) << source;
        ASSERT_EQ(read_source, source.substr(0, read_source.size()));
        ASSERT_EQ(read_source == source, reading.problem == nullptr) << source;
        accepted += reading.problem == nullptr;
    }
    EXPECT_GT(accepted, 1000);
    EXPECT_LT(accepted, 19000);
}

// Whether a name that is not quoted begins with a quote: with a later one, it would be.
bool opens_quotes(std::string_view source) {
    const Tokens tokens = read(source).tokens;
    return std::any_of(tokens.begin(), tokens.end(), [](const TemplateToken& token) {
        return token.kind == TemplateToken::Kind::kPlaceholder && !token.is_quoted && token.text.front() == '"';
    });
}

// A list of templates that are well-formed comes apart into them.
TEST(TakeTemplate, TakesApartWhatWasPutTogether) {
    RandomDocument random(18);
    for (int i = 0; i < 5000; ++i) {
        std::vector<std::string> sources(1 + random.below(4));
        std::string list;
        for (std::string& source : sources) {
            do {
                source = random_source(random);
            } while (read(source).problem != nullptr || split(source).size() != 1 || opens_quotes(source));
            list += (&source == &sources.front() ? "" : ",") + source;
        }
        const Texts templates = split(list);
        ASSERT_EQ(templates.size(), sources.size()) << list;
        for (std::size_t k = 0; k < sources.size(); ++k) {
            ASSERT_EQ(templates[k], trim(sources[k])) << list;
        }
    }
}

}  // namespace
}  // namespace template_test
}  // namespace socketio
