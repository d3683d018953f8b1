#include "runner/plan.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "options/options.hpp"
#include "options/shown.hpp"

namespace p2pdiag::runner {

namespace {

bool matches(const std::string& pattern, const std::string& id) {
    return pattern == "all" || ::fnmatch(pattern.c_str(), id.c_str(), 0) == 0;
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& id) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return matches(pattern, id); });
}

std::vector<const loader::Check*> all_checks(const loader::Plugins& plugins) {
    std::vector<const loader::Check*> checks;
    for (const loader::Plugin& plugin : plugins.loaded) {
        for (const loader::Check& check : plugin.checks) checks.push_back(&check);
    }
    return checks;
}

// Depth first along `needs`.
class Ordering {
public:
    Ordering(const loader::Plugins& plugins, const std::vector<std::string>& skip)
        : plugins_(plugins), skip_(skip) {}

    void choose(const std::string& id) {
        if (needs_itself(id)) {
            plan_.circular.push_back(id);
        } else {
            visit(id);
        }
    }

    Plan take() { return std::move(plan_); }

private:
    void visit(const std::string& id) {
        if (!done_.insert(id).second) return;
        for (const std::string& need : plugins_.find_check(id)->needs) {
            const bool here = plugins_.find_check(need) != nullptr;
            if (here && !matches_any(skip_, need) && !needs_itself(need)) visit(need);
        }
        plan_.order.push_back(id);
    }

    bool needs_itself(const std::string& id) const {
        std::set<std::string> seen;
        std::vector<std::string> open = plugins_.find_check(id)->needs;
        while (!open.empty()) {
            const std::string need = open.back();
            open.pop_back();
            if (need == id) return true;
            const loader::Check* check = plugins_.find_check(need);
            if (check == nullptr || !seen.insert(need).second) continue;
            open.insert(open.end(), check->needs.begin(), check->needs.end());
        }
        return false;
    }

    const loader::Plugins& plugins_;
    const std::vector<std::string>& skip_;
    std::set<std::string> done_;
    Plan plan_;
};

}  // namespace

std::optional<Unmatched> unmatched(const loader::Plugins& plugins, const std::string& glob) {
    std::vector<std::string> ids{"all"};
    for (const loader::Check* check : all_checks(plugins)) ids.push_back(check->id);
    if (std::ranges::any_of(ids, [&](const auto& id) { return matches(glob, id); })) {
        return std::nullopt;
    }
    const auto near = options::nearest(glob, ids);
    const bool of_plugin = glob.find('.') != glob.npos;
    return Unmatched{"unknown check '" + options::harmless(glob) + "'" +
                         (near ? ": did you mean '" + *near + "'?" : ": see 'p2pdiag list checks'"),
                     of_plugin && !near && plugins.owner_of(glob) == nullptr};
}

Plan make_plan(const loader::Plugins& plugins, const Selection& selection) {
    Ordering ordering(plugins, selection.skip);
    for (const loader::Check* check : all_checks(plugins)) {
        const auto& named = selection.checks;
        const bool by_name = std::find(named.begin(), named.end(), check->id) != named.end();
        const bool chosen = by_name || ((named.empty() || matches_any(named, check->id)) &&
                                        (!check->deep || selection.deep));
        const bool kept = selection.only.empty() || matches_any(selection.only, check->id);
        if (chosen && kept && !matches_any(selection.skip, check->id)) ordering.choose(check->id);
    }
    return ordering.take();
}

}  // namespace p2pdiag::runner
