#include "diagnosis/facts.hpp"

namespace p2pdiag::diagnosis {

using report::CheckResult;
using report::Finding;
using report::Status;

bool could_tell(Status status) {
    return status == Status::pass || status == Status::warn || status == Status::fail;
}

bool could_tell(const Found& found) {
    return found.check == nullptr || could_tell(found.check->status);
}

std::string_view family_of(const Finding& finding) {
    return json::find_string(finding.evidence, "family").value_or("");
}

const json::value* at_path(const json::object& object, std::string_view path) {
    const json::object* place = &object;
    for (;;) {
        const std::size_t dot = path.find('.');
        const json::value* value = json::find(*place, path.substr(0, dot));
        if (value == nullptr || dot == path.npos) return value;
        place = value->if_object();
        if (place == nullptr) return nullptr;
        path.remove_prefix(dot + 1);
    }
}

namespace {

using Wanted = std::function<bool(const json::value&)>;

bool any_below(const json::value& value, std::string_view path, const Wanted& wanted,
               unsigned& left);

bool any_in(const json::object& object, std::string_view path, const Wanted& wanted,
            unsigned& left) {
    const std::size_t dot = path.find('.');
    const json::value* next = json::find(object, path.substr(0, dot));
    const std::string_view rest = dot == path.npos ? std::string_view() : path.substr(dot + 1);
    return next != nullptr && any_below(*next, rest, wanted, left);
}

// `left` is how many more values are looked at; a report may hold more, and no rule looks for it
// there.
bool any_below(const json::value& value, std::string_view path, const Wanted& wanted,
               unsigned& left) {
    if (const json::array* elements = value.if_array()) {
        for (const json::value& element : *elements) {
            if (left == 0) return false;
            if (any_below(element, path, wanted, left)) return true;
        }
        return false;
    }
    if (left > 0) --left;
    if (path.empty()) return !value.is_null() && wanted(value);
    const json::object* members = value.if_object();
    return members != nullptr && any_in(*members, path, wanted, left);
}

}  // namespace

bool any_at(const json::object& object, std::string_view path, const Wanted& wanted) {
    unsigned left = 4096;
    return any_in(object, path, wanted, left);
}

Facts::Facts(const report::Report& report) : report_(report) {
    for (const Finding& finding : report.host_findings) add(finding, nullptr);
    for (const CheckResult& check : report.checks) {
        checks_.emplace(check.id, &check);
        for (const Finding& finding : check.findings) add(finding, &check);
    }
}

void Facts::add(const Finding& finding, const CheckResult* check) {
    findings_[finding.code].push_back({&finding, check, family_of(finding)});
}

const std::vector<Found>& Facts::findings(std::string_view code) const {
    static const std::vector<Found> none;
    const auto found = findings_.find(code);
    return found == findings_.end() ? none : found->second;
}

const CheckResult* Facts::check(std::string_view id) const {
    const auto found = checks_.find(id);
    return found == checks_.end() ? nullptr : found->second;
}

bool Facts::could_tell(std::string_view id) const {
    const CheckResult* result = check(id);
    return result != nullptr && diagnosis::could_tell(result->status);
}

}  // namespace p2pdiag::diagnosis
