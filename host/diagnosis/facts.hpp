// A report as rules look at it: findings by code, checks by id.
#pragma once

#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "report/report.hpp"

namespace p2pdiag::diagnosis {

struct Found {
    const report::Finding* finding = nullptr;
    const report::CheckResult* check = nullptr;  // null: the host's
    // "ipv4", "ipv6"; empty: of both, or of whichever there is.
    std::string_view family;
};

// pass, warn and fail are results; everything else says that there is none.
bool could_tell(report::Status status);

// "ipv4", "ipv6"; empty: of both, or of whichever there is.
std::string_view family_of(const report::Finding& finding);

// The value at a path of members, or null where there is none.
const json::value* at_path(const json::object& object, std::string_view path);

// Whether `wanted` says yes to a value at the path, which enters every element of the arrays on it,
// the last one too; null is no value.
bool any_at(const json::object& object, std::string_view path,
            const std::function<bool(const json::value&)>& wanted);

class Facts {
public:
    // `report` must outlive this and stay as it is.
    explicit Facts(const report::Report& report);

    const std::vector<Found>& findings(std::string_view code) const;  // in the report's order
    const report::CheckResult* check(std::string_view id) const;      // null: was not run
    bool could_tell(std::string_view check) const;                    // false: was not run
    std::uint16_t port() const { return report_.target_port; }

private:
    void add(const report::Finding& finding, const report::CheckResult* check);

    const report::Report& report_;
    std::unordered_map<std::string_view, std::vector<Found>> findings_;
    std::unordered_map<std::string_view, const report::CheckResult*> checks_;
};

// Whether what was found by it can be relied on: the host's own findings can.
bool could_tell(const Found& found);

}  // namespace p2pdiag::diagnosis
