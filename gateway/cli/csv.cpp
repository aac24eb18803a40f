#include "cli/csv.hpp"

#include <algorithm>

namespace gw::cli {

namespace {

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text)
    {
        if (text_.starts_with("\xEF\xBB\xBF"))
            at_ = 3;
    }

    bool is_at_end() const noexcept { return at_ >= text_.size(); }

    CsvRow next()
    {
        CsvRow row;
        row.line = line_;
        do {
            row.fields.emplace_back();
            if (!is_at_end() && text_[at_] == '"')
                quoted(row);
            else
                plain(row);
        } while (row.problem.empty() && take(','));
        if (row.problem.empty() && !is_at_end() && !take_line_end())
            row.problem = "text follows a closing quote";
        if (!row.problem.empty())
            skip_line();
        return row;
    }

private:
    bool take(char c) noexcept
    {
        if (is_at_end() || text_[at_] != c)
            return false;
        ++at_;
        return true;
    }

    bool take_line_end() noexcept
    {
        if (text_.substr(at_).starts_with("\r\n"))
            ++at_;
        if (!take('\n'))
            return false;
        ++line_;
        return true;
    }

    void plain(CsvRow& row)
    {
        const std::size_t begin = at_;
        while (!is_at_end() && text_[at_] != ',' && text_[at_] != '\n' && !text_.substr(at_).starts_with("\r\n")) {
            if (text_[at_] == '"')
                row.problem = "a quote inside a field that does not begin with one";
            ++at_;
        }
        row.fields.back() = text_.substr(begin, at_ - begin);
    }

    void quoted(CsvRow& row)
    {
        const std::size_t begin = at_, line = line_;
        ++at_;
        while (!is_at_end()) {
            const char c = text_[at_++];
            if (c == '"' && !take('"'))
                return;
            line_ += c == '\n';
            row.fields.back().push_back(c);
        }
        // Perhaps only this line is wrong: what follows it is read again.
        at_ = begin;
        line_ = line;
        row.problem = "a quote is opened and not closed";
    }

    void skip_line() noexcept
    {
        at_ = std::min(text_.find('\n', at_), text_.size() - 1) + 1;
        ++line_;
    }

    std::string_view text_;
    std::size_t at_ = 0, line_ = 1;
};

} // namespace

std::vector<CsvRow> parse_csv(std::string_view text)
{
    std::vector<CsvRow> rows;
    Reader reader{text};
    while (!reader.is_at_end()) {
        CsvRow row = reader.next();
        if (!row.problem.empty() || row.fields.size() > 1 || !row.fields.front().empty())
            rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace gw::cli
