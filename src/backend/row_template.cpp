// See row_template.h.

#include "backend/row_template.h"

#include <algorithm>

#include "backend/change_context.h"
#include "backend/text.h"
#include "backend/text_writer.h"
#include "backend/trigger_options.h"
#include "backend/value_reader.h"
#include "protocol/template.h"

namespace socketio {

namespace {

TemplatePart text_part(std::string_view text) { return {TemplatePart::Kind::kText, to_utf8(text), 0}; }

int plan_template_column(const TemplateScope& scope, const char* option, std::string_view name) {
    const int column = find_column(scope, option, name);
    ColumnPlan& plan = scope.columns[column];
    if (plan.value == nullptr) {
        plan = plan_column(TupleDescAttr(scope.descriptor, column), scope.context);
    }
    if (!is_scalar(plan.value)) {
        report_unfit_column(scope.identity, option, NameStr(TupleDescAttr(scope.descriptor, column)->attname),
                            "Only values that are one text, number, date or boolean can stand in a template.");
    }
    return column;
}

TemplatePart column_part(const TemplateScope& scope, const char* option, std::string_view name) {
    return {TemplatePart::Kind::kColumn, {}, plan_template_column(scope, option, name)};
}

// In quotes, a name is a column's, whatever it is.
TemplatePart placeholder_part(const TemplateScope& scope, const char* option, const TemplateToken& token) {
    const std::string_view name = name_of({token.text, token.is_quoted});
    if (token.is_quoted) {
        return column_part(scope, option, name);
    }
    if (name == "op") {
        return {TemplatePart::Kind::kOp, {}, 0};
    }
    if (name == "OP") {
        return {TemplatePart::Kind::kUpperOp, {}, 0};
    }
    if (name == "schema") {
        return text_part(scope.identity.schema);
    }
    if (name == "table") {
        return text_part(scope.identity.table);
    }
    return column_part(scope, option, name);
}

// A template has fewer parts than bytes, a list fewer templates.
template <class Element>
Element* allocate(std::size_t count) {
    return static_cast<Element*>(palloc(std::max<std::size_t>(count, 1) * sizeof(Element)));
}

}  // namespace

std::string_view name_of(const WrittenName& written) {
    if (!written.is_quoted) {
        return written.text;
    }
    char* name = allocate<char>(written.text.size());
    return {name, unquote(written.text, name)};
}

void report_problem(const TemplateScope& scope, const char* option, std::string_view source, const char* problem) {
    report_malformed(scope.identity, option,
                     psprintf("\"%.*s\" %s.", static_cast<int>(source.size()), source.data(), problem));
}

int find_column(const TemplateScope& scope, const char* option, std::string_view name) {
    for (int i = 0; i < scope.descriptor->natts; ++i) {
        const auto* attribute = TupleDescAttr(scope.descriptor, i);
        if (attribute->attisdropped || name != NameStr(attribute->attname)) {
            continue;
        }
#if PG_VERSION_NUM >= 180000
        if (attribute->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL) {
            report_unfit_column(scope.identity, option, NameStr(attribute->attname),
                                "PostgreSQL does not compute virtual generated columns for triggers.");
        }
#endif
        return i;
    }
    report_unknown_column(scope.identity, option, name);
}

RowTemplate compile_template(const TemplateScope& scope, const char* option, std::string_view source) {
    if (source.empty()) {
        report_malformed(scope.identity, option, "It is empty.");
    }
    auto* parts = allocate<TemplatePart>(source.size());
    RowTemplate compiled = {parts, 0, 0, false};
    TemplateReader reader(source);
    TemplateToken token;
    while (reader.next(token)) {
        TemplatePart& part = parts[compiled.count++];
        part =
            token.kind == TemplateToken::Kind::kText ? text_part(token.text) : placeholder_part(scope, option, token);
        compiled.names_op |= part.kind == TemplatePart::Kind::kOp || part.kind == TemplatePart::Kind::kUpperOp;
        if (part.kind == TemplatePart::Kind::kColumn) {
            compiled.last_column = std::max(compiled.last_column, part.column + 1);
        }
    }
    if (reader.problem() != nullptr) {
        report_problem(scope, option, source, reader.problem());
    }
    return compiled;
}

TemplateList compile_templates(const TemplateScope& scope, const char* option, std::string_view source) {
    if (source.data() == nullptr) {
        return {nullptr, 0, 0};
    }
    auto* templates = allocate<RowTemplate>(source.size() + 1);
    TemplateList list = {templates, 0, 0};
    std::string_view rest = source;
    do {
        RowTemplate& compiled = templates[list.count++];
        const std::string_view element = take_template(rest);
        if (element.empty()) {
            report_problem(scope, option, source, "has an empty name in it");
        }
        compiled = compile_template(scope, option, element);
        list.last_column = std::max(list.last_column, compiled.last_column);
    } while (rest.data() != nullptr);
    return list;
}

std::string_view fill_in_name(const RowTemplate& source, ChangeOp op) {
    StringInfoData name;
    initStringInfo(&name);
    fill_in(source, op, nullptr, nullptr, &name);
    return {name.data, static_cast<std::size_t>(name.len)};
}

bool fill_in(const RowTemplate& source, ChangeOp op, const ColumnPlan* columns, TupleTableSlot* row, StringInfo text) {
    TextWriter writer(text);
    for (int i = 0; i < source.count; ++i) {
        const TemplatePart& part = source.parts[i];
        switch (part.kind) {
            case TemplatePart::Kind::kText:
                writer.string(part.text);
                break;
            case TemplatePart::Kind::kOp:
                writer.string(lower_name(op));
                break;
            case TemplatePart::Kind::kUpperOp:
                writer.string(upper_name(op));
                break;
            case TemplatePart::Kind::kColumn:
                if (row == nullptr || row->tts_isnull[part.column]) {
                    return false;
                }
                column_being_read = part.column;
                read_scalar(columns[part.column].value, row->tts_values[part.column], writer);
                column_being_read = -1;
                break;
        }
    }
    return true;
}

}  // namespace socketio
