// The part of validate that looks at plans and routes.
#pragma once

#include "settings/settings.hpp"

#include <string>
#include <vector>

namespace gw {

// Gathers problems at the places of what they are about.
class Findings {
public:
    explicit Findings(const Settings& settings) : settings_(settings) {}

    void error(const std::string& path, std::string message)
    {
        add(Problem::Severity::error, path, std::move(message));
    }
    void warn(const std::string& path, std::string message)
    {
        add(Problem::Severity::warning, path, std::move(message));
    }
    std::vector<Problem> take() { return std::move(problems_); }

private:
    void add(Problem::Severity severity, const std::string& path, std::string message)
    {
        problems_.push_back({severity, settings_.mark_of(path), path, std::move(message)});
    }

    const Settings& settings_;
    std::vector<Problem> problems_;
};

void validate_plans(const Settings& settings, Findings& findings);
void validate_routes(const Settings& settings, Findings& findings);
void validate_credentials(const std::vector<CredentialSource>& sources, const std::string& path,
                          Findings& findings);

} // namespace gw
