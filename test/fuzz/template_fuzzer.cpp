// Any list of templates: it comes apart at its commas alone, what is read of a template is what it says, and whatever was
// written by the rules is read back.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "protocol/quoted_name.h"
#include "protocol/template.h"
#include "take_document.h"

using namespace socketio;

namespace {

using Kind = TemplateToken::Kind;
using Tokens = std::vector<TemplateToken>;
using Texts = std::vector<std::string_view>;

constexpr std::string_view kBlanks = " \t\n\r\f\v";

bool is_blank(char byte) { return kBlanks.find(byte) != std::string_view::npos; }
bool is_brace(std::string_view text) { return text == "{" || text == "}"; }

Texts split(std::string_view list) {
    const std::string_view whole = list;
    Texts templates;
    do {
        const std::size_t before = list.size();
        templates.push_back(take_template(list));
        check(list.data() == nullptr || list.size() < before, "taking a template shortens the list", whole);
    } while (list.data() != nullptr);
    return templates;
}

// The bytes from the brace at `begin` to the one behind a name in quotes, said plainly; 0 where there is none.
std::size_t quoted_length_at(std::string_view list, std::size_t begin) {
    if (list.substr(begin, 2) != "{\"") {
        return 0;
    }
    std::size_t i = begin + 2;
    while (i < list.size() && (list[i] != '"' || list.substr(i, 2) == "\"\"")) {
        i += list[i] == '"' ? 2 : 1;
    }
    return i > begin + 2 && list.substr(i, 2) == "\"}" ? i + 2 - begin : 0;
}

// The commas that are not inside of a placeholder, said plainly. A brace that is never closed opens none.
std::size_t count_separators(std::string_view list) {
    const std::size_t last_end = list.rfind('}');
    bool is_inside = false;
    std::size_t commas = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (is_inside) {
            is_inside = list[i] != '}';
        } else if (list.substr(i, 2) == "{{") {
            ++i;
        } else if (const std::size_t quoted = quoted_length_at(list, i); quoted > 0) {
            i += quoted - 1;
        } else if (list[i] == '{') {
            is_inside = last_end != std::string_view::npos && i < last_end;
        } else {
            commas += list[i] == ',';
        }
    }
    return commas;
}

std::string_view without_blanks_in_front(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
}

// A list is its templates, with a comma between every two and blanks around each.
void check_nothing_is_lost(std::string_view list, const Texts& templates) {
    std::string_view rest = list;
    for (const std::string_view& taken : templates) {
        check(taken.empty() || (!is_blank(taken.front()) && !is_blank(taken.back())), "a template is trimmed", list);
        rest = without_blanks_in_front(rest);
        check(rest.substr(0, taken.size()) == taken, "templates come in their order", list);
        rest = without_blanks_in_front(rest.substr(taken.size()));
        const bool is_last = &taken == &templates.back();
        check(is_last ? rest.empty() : rest.substr(0, 1) == ",", "nothing but a comma is between two templates", list);
        rest.remove_prefix(is_last ? 0 : 1);
    }
}

Tokens read(std::string_view source, const char*& problem) {
    Tokens tokens;
    TemplateReader reader(source);
    TemplateToken token;
    while (reader.next(token)) {
        check(reader.problem() == nullptr, "a template that is read on has no problem", source);
        check(tokens.size() < source.size(), "a token takes at least one byte", source);
        tokens.push_back(token);
    }
    problem = reader.problem();
    check(!reader.next(token) && reader.problem() == problem, "a reader stays where it ended", source);
    return tokens;
}

void check_token(const TemplateToken& token, std::string_view source) {
    const bool has_braces = token.text.find_first_of("{}") != std::string_view::npos;
    const bool may_have_braces = token.is_quoted || (token.kind == Kind::kText && is_brace(token.text));
    check(!token.text.empty(), "no token is empty", source);
    check(!has_braces || may_have_braces, "no token holds a brace, unless it is one", source);
}

// What would be read as `tokens`.
std::string as_source(const Tokens& tokens) {
    std::string source;
    for (const TemplateToken& token : tokens) {
        if (token.kind == Kind::kPlaceholder) {
            const std::string_view quote = token.is_quoted ? "\"" : "";
            source.append("{").append(quote).append(token.text).append(quote).append("}");
        } else {
            source.append(token.text).append(is_brace(token.text) ? token.text : "");
        }
    }
    return source;
}

bool same_tokens(const Tokens& a, const Tokens& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const TemplateToken& x, const TemplateToken& y) {
        return x.kind == y.kind && x.text == y.text && x.is_quoted == y.is_quoted;
    });
}

void check_template(std::string_view source) {
    const char* problem = nullptr;
    const Tokens tokens = read(source, problem);
    for (const TemplateToken& token : tokens) {
        check_token(token, source);
    }
    const std::string joined = as_source(tokens);
    const bool is_whole = problem == nullptr;
    check(source.substr(0, joined.size()) == joined, "tokens are what the template says", source);
    check(is_whole == (joined.size() == source.size()), "there is a problem if and only if something is left", source);
    const char* none = nullptr;
    check(same_tokens(read(joined, none), tokens) && none == nullptr, "tokens are read again as they were", source);
}

// A list of names comes to an end, each is part of it, and what is quoted has its quotes around it.
void check_names(std::string_view whole) {
    for (std::string_view list = whole; list.data() != nullptr;) {
        const std::size_t before = list.size();
        const WrittenName name = take_name(list);
        check(list.data() == nullptr || list.size() < before, "taking a name shortens the list", whole);
        check(!name.is_quoted || (name.text.data()[-1] == '"' && *(name.text.data() + name.text.size()) == '"'),
              "a quoted name has quotes around it", whole);
        check(name.is_quoted || name.text.empty() || (!is_blank(name.text.front()) && !is_blank(name.text.back())),
              "a name is trimmed", whole);
    }
}

// From a heap block of its own size, so that a read beyond it shows.
void check_list(std::string_view bytes) {
    const std::vector<char> block(bytes.begin(), bytes.end());
    const std::string_view list(block.data(), block.size());
    const Texts templates = split(list);
    check(templates.size() == count_separators(list) + 1, "a list has one template more than commas", list);
    check_nothing_is_lost(list, templates);
    check_template(list);
    check_names(list);
    for (const std::string_view taken : templates) {
        const std::vector<char> alone(taken.begin(), taken.end());
        check_template({alone.data(), alone.size()});
    }
}

// Templates as they were meant, and their texts and names, each of which lives until the end.
struct Model {
    std::vector<std::string> texts;
    std::vector<Tokens> templates;
};

// Bytes of any kind but those in `without`; never empty.
std::string take_bytes(FuzzedDataProvider& data, std::string_view without) {
    std::string bytes = data.ConsumeRandomLengthString(12);
    const auto is_excluded = [&](char byte) { return without.find(byte) != std::string_view::npos; };
    bytes.erase(std::remove_if(bytes.begin(), bytes.end(), is_excluded), bytes.end());
    return bytes.empty() ? "x" : bytes;
}

// Blanks at its ends would not be the text's own, but those around the template.
std::string take_plain_text(FuzzedDataProvider& data) {
    std::string text = take_bytes(data, "{},");
    text.insert(0, is_blank(text.front()) ? "<" : "");
    text.append(is_blank(text.back()) ? ">" : "");
    return text;
}

// A name that stands for itself begins with no quote.
std::string take_unquoted(FuzzedDataProvider& data) {
    const std::string name = take_bytes(data, "{}");
    return name.front() == '"' ? "_" + name : name;
}

// Any name, with its quotes doubled.
std::string take_quoted(FuzzedDataProvider& data) {
    const std::string name = take_bytes(data, "");
    std::string quoted;
    for (const char byte : name) {
        quoted.append(byte == '"' ? 2 : 1, byte);
    }
    std::string unquoted(quoted.size(), '\0');
    unquoted.resize(unquote(quoted, unquoted.data()));
    check(unquoted == name, "a quoted name is what was quoted", name);
    return quoted;
}

Tokens take_tokens(FuzzedDataProvider& data, std::vector<std::string>& texts) {
    Tokens tokens;
    bool is_behind_text = false;
    for (int i = data.ConsumeIntegralInRange(0, 6); i > 0; --i) {
        const int kind = data.ConsumeIntegralInRange(0, is_behind_text ? 3 : 4);  // text behind text is one text
        switch (kind) {
            case 0:
                tokens.push_back({Kind::kText, "{"});
                break;
            case 1:
                tokens.push_back({Kind::kText, "}"});
                break;
            case 2:
                tokens.push_back({Kind::kPlaceholder, texts.emplace_back(take_unquoted(data))});
                break;
            case 3:
                tokens.push_back({Kind::kPlaceholder, texts.emplace_back(take_quoted(data)), true});
                break;
            default:
                tokens.push_back({Kind::kText, texts.emplace_back(take_plain_text(data))});
        }
        is_behind_text = kind == 4;
    }
    return tokens;
}

Model take_model(FuzzedDataProvider& data) {
    Model model;
    model.texts.reserve(100);  // more than there will be: tokens refer to them
    for (int i = data.ConsumeIntegralInRange(1, 8); i > 0; --i) {
        model.templates.push_back(take_tokens(data, model.texts));
    }
    return model;
}

std::string take_padding(FuzzedDataProvider& data) {
    std::string blanks;
    for (int i = data.ConsumeIntegralInRange(0, 3); i > 0; --i) {
        blanks += data.PickValueInArray({' ', '\t', '\n', '\r', '\f', '\v'});
    }
    return blanks;
}

void check_round_trip(FuzzedDataProvider& data) {
    const Model model = take_model(data);
    std::string list;
    for (const Tokens& tokens : model.templates) {
        list += &tokens == &model.templates.front() ? "" : ",";
        list += take_padding(data);
        list += as_source(tokens);
        list += take_padding(data);
    }
    const Texts templates = split(list);
    check(templates.size() == model.templates.size(), "a list has the templates that were put into it", list);
    for (std::size_t i = 0; i < templates.size(); ++i) {
        const char* problem = nullptr;
        check(same_tokens(read(templates[i], problem), model.templates[i]), "a template is read as it was meant", list);
        check(problem == nullptr, "what was written by the rules has no problem", list);
    }
    check_list(list);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    FuzzedDataProvider data(bytes, size);
    if (data.ConsumeBool()) {
        check_round_trip(data);
    } else {
        check_list(data.ConsumeRemainingBytesAsString());
    }
    return 0;
}
