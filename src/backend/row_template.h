// Templates of a trigger's options (protocol/template.h), compiled for a table and filled in from its rows.

#pragma once

#include <string_view>

#include "backend/row_change.h"
#include "backend/trigger_identity.h"
#include "backend/value_plan.h"
#include "protocol/quoted_name.h"

extern "C" {
#include "lib/stringinfo.h"
}

namespace socketio {

struct TemplatePart {
    enum class Kind { kText, kOp, kUpperOp, kColumn };

    Kind kind;
    std::string_view text;  // UTF-8
    int column;             // its index in the table's description
};

struct RowTemplate {
    const TemplatePart* parts;
    int count;
    int last_column;  // number of the last column it names, 0 where it names none
    bool names_op;

    bool names_columns() const { return last_column > 0; }
};

struct TemplateList {
    const RowTemplate* templates;
    int count;
    int last_column;

    bool names_columns() const { return last_column > 0; }
};

// What the names in a template stand for.
struct TemplateScope {
    const TriggerIdentity& identity;
    TupleDesc descriptor;
    ColumnPlan* columns;    // a plan is added for each column that a template names
    MemoryContext context;  // for the plans
};

// Compile the value of the option named `option`, in CurrentMemoryContext. ERROR 22023 where it is malformed, or names a column whose values have no plain text,
// 42703 where there is no such column.
RowTemplate compile_template(const TemplateScope& scope, const char* option, std::string_view source);

// The same for a list. ERROR 22023 for an empty template in it, too.
TemplateList compile_templates(const TemplateScope& scope, const char* option, std::string_view source);

// The name that was written, in CurrentMemoryContext.
std::string_view name_of(const WrittenName& written);

// Name a column of the table. ERROR 42703 where there is none of that name.
int find_column(const TemplateScope& scope, const char* option, std::string_view name);

// ERROR 22023: the value `source` of an option is malformed; `problem` is the rest of a sentence that begins with it.
[[noreturn]] void report_problem(const TemplateScope& scope, const char* option, std::string_view source,
                                 const char* problem);

// What a template that names no column says, in CurrentMemoryContext.
std::string_view fill_in_name(const RowTemplate& source, ChangeOp op);

// Append what `source` says of `row`, as UTF-8, to `text`; `row` may be null where the template names no column. False if a
// column it names is NULL: what was appended is of no use then.
bool fill_in(const RowTemplate& source, ChangeOp op, const ColumnPlan* columns, TupleTableSlot* row, StringInfo text);

}  // namespace socketio
