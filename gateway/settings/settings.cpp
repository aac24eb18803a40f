// What settings say of themselves: the text of a problem, and where a value stood.
#include "settings/settings.hpp"

namespace gw {

SourceMark Settings::mark_of(std::string_view path) const
{
    for (;;) {
        if (const auto found = marks.find(path); found != marks.end())
            return found->second;
        const std::size_t end = path.find_last_of(".[");
        if (end == std::string_view::npos)
            return {};
        path = path.substr(0, end);
    }
}

std::string Problem::str(const std::string& file) const
{
    std::string text = file;
    if (mark.line > 0)
        text += ':' + std::to_string(mark.line) + ':' + std::to_string(mark.column);
    text += ": ";
    if (!path.empty())
        text += path + ": ";
    if (severity == Severity::warning)
        text += "warning: ";
    return text + message;
}

} // namespace gw
