#include <algorithm>
#include <unordered_map>

#include "base/text.hpp"
#include "bounded_json.hpp"
#include "foreign/windows_filters.hpp"
#include "foreign/windows_values.hpp"

namespace p2pdiag::firewall::windows {

namespace {

// A domain's machine has some thousand.
constexpr std::size_t most_rules = 100'000;
constexpr std::size_t most_shown = 20;

std::string text_of(const json::object& object, std::string_view key) {
    return std::string(json::find_string(object, key).value_or(""));
}

// The class GpoBoolean; `otherwise` is what Windows does where it is not configured.
std::optional<bool> read_policy(const json::value* value, bool otherwise) {
    const auto number = read_choice(value, {{"False", 0}, {"True", 1}, {"NotConfigured", 2}});
    if (!number) return std::nullopt;
    return *number == 2 ? otherwise : *number == 1;
}

std::optional<bool> read_default(const json::value* value, bool otherwise) {
    const auto number = read_choice(value, {{"NotConfigured", 0}, {"Allow", 2}, {"Block", 4}});
    if (!number) return std::nullopt;
    return *number == 0 ? otherwise : *number == 2;
}

// A number of bits, or names with commas between them. No bit, "Any" and FW_PROFILE_TYPE_ALL stand
// for all.
std::optional<std::uint8_t> read_profiles(const json::value* value) {
    constexpr std::uint8_t all = 7;
    const auto texts = read_texts(value);
    if (!texts || texts->empty()) return std::nullopt;
    std::uint8_t bits = 0;
    for (const std::string& text : *texts) {
        if (text == "0" || text == "2147483647") return all;
        if (text.size() == 1 && text[0] > '0' && text[0] <= '7') {
            bits |= static_cast<std::uint8_t>(text[0] - '0');
            continue;
        }
        for (const std::string_view name : split(text)) {
            if (same_text(name, "Any") || same_text(name, "All")) return all;
            const auto* found =
                std::find_if(std::begin(profiles), std::end(profiles),
                             [&](Profile one) { return same_text(name, to_string(one)); });
            if (found == std::end(profiles)) return std::nullopt;
            bits |= static_cast<std::uint8_t>(*found);
        }
    }
    return bits;
}

class Reader {
public:
    Reading read(const json::value& document) {
        if (const json::object* object = document.if_object();
            object != nullptr &&
            json::find_string(*object, "format") == "p2pdiag-windows-firewall") {
            return read_document(*object);
        }
        if (!read_rules(document)) return std::move(error_);
        return std::move(ruleset_);
    }

private:
    using ById = std::unordered_map<std::string, std::vector<const json::object*>>;

    // Entries of a list; one without brackets is a list of one.
    static std::vector<const json::value*> entries(const json::value* list) {
        std::vector<const json::value*> found;
        if (list == nullptr) return found;
        if (const json::array* array = list->if_array()) {
            for (const json::value& entry : *array) found.push_back(&entry);
        } else if (const json::object* object = list->if_object();
                   object != nullptr && object->contains("value") && object->contains("Count")) {
            return entries(json::find(*object, "value"));
        } else {
            found.push_back(list);
        }
        return found;
    }

    void unread(std::string what) {
        if (ruleset_.unread.size() < most_shown) ruleset_.unread.push_back(std::move(what));
    }

    Reading read_document(const json::object& object) {
        for (const json::value* entry : entries(json::find(object, "profiles"))) {
            const json::object* profile = entry->if_object();
            if (profile == nullptr || !read_profile(*profile)) unread("an entry of profiles");
        }
        for (const char* list : {"ports", "addresses", "applications", "interfaces",
                                 "interface_types", "services", "security"}) {
            ruleset_.has_filters = ruleset_.has_filters || object.contains(list);
            ById& filters = filters_.emplace_back();
            for (const json::value* entry : entries(json::find(object, list))) {
                const json::object* filter = entry->if_object();
                if (filter != nullptr) filters[text_of(*filter, "InstanceID")].push_back(filter);
            }
        }
        const json::value* rules = json::find(object, "rules");
        if (rules == nullptr) return ReadError{"the document has no list \"rules\""};
        if (!read_rules(*rules)) return std::move(error_);
        if (object.contains("connections")) read_connections(json::find(object, "connections"));
        read_own_addresses(json::find(object, "ip"));
        return std::move(ruleset_);
    }

    bool read_profile(const json::object& object) {
        const std::string name = text_of(object, "Name");
        const auto* profile =
            std::find_if(std::begin(profiles), std::end(profiles),
                         [&](Profile one) { return same_text(name, to_string(one)); });
        if (profile == std::end(profiles)) return false;
        Settings settings;
        settings.enabled = read_policy(json::find(object, "Enabled"), true);
        settings.inbound_allowed = read_default(json::find(object, "DefaultInboundAction"), false);
        settings.outbound_allowed = read_default(json::find(object, "DefaultOutboundAction"), true);
        settings.allow_rules = read_policy(json::find(object, "AllowInboundRules"), true);
        settings.local_rules = read_policy(json::find(object, "AllowLocalFirewallRules"), true);
        const auto off = read_names(json::find(object, "DisabledInterfaceAliases"));
        for (const std::string& alias : off.values) {
            if (!same_text(alias, "NotConfigured")) settings.off_on.push_back(alias);
        }
        if (!off.known) settings.enabled.reset();
        auto& place = ruleset_.settings[profile - std::begin(profiles)];
        if (place) unread("the profile " + name + " twice");
        place = std::move(settings);
        return true;
    }

    bool read_rules(const json::value& list) {
        const auto all = entries(&list);
        if (all.size() > most_rules) {
            error_.message = "more than " + std::to_string(most_rules) + " rules";
            return false;
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            const json::object* object = all[i]->if_object();
            if (object == nullptr || !is_rule(*object)) {
                error_.message = "entry " + std::to_string(i + 1) +
                                 " is no firewall rule: it has no Direction or no Action";
                return false;
            }
            add_rule(*object);
        }
        return true;
    }

    static bool is_rule(const json::object& object) {
        return object.contains("Direction") && object.contains("Action");
    }

    void add_rule(const json::object& object) {
        Rule rule;
        rule.id = text_of(object, "InstanceID");
        if (rule.id.empty()) rule.id = text_of(object, "Name");
        rule.name = printable(text_of(object, "DisplayName"), 80);
        if (rule.name.empty()) rule.name = printable(rule.id, 80);
        rule.enabled = read_flag(json::find(object, "Enabled"), {{"True", 1}, {"False", 2}}, 1);
        rule.inbound =
            read_flag(json::find(object, "Direction"), {{"Inbound", 1}, {"Outbound", 2}}, 1);
        if (const auto action = read_choice(json::find(object, "Action"),
                                            {{"Allow", 2}, {"AllowBypass", 3}, {"Block", 4}})) {
            rule.action = *action == 2   ? Action::allow
                          : *action == 3 ? Action::bypass
                                         : Action::block;
        }
        const json::value* profile = json::find(object, "Profile");
        rule.profiles =
            read_profiles(profile != nullptr ? profile : json::find(object, "Profiles"));
        read_origin(object, rule);
        read_conditions(object, rule);
        ruleset_.rules.push_back(std::move(rule));
    }

    static void read_origin(const json::object& object, Rule& rule) {
        const auto source = read_choice(
            json::find(object, "PolicyStoreSourceType"),
            {{"Local", 1}, {"GroupPolicy", 2}, {"Dynamic", 3}, {"Generated", 4}, {"Hardcoded", 5}});
        if (source && *source != 3) rule.local = *source == 1;
        rule.edge_traversal =
            read_flag(json::find(object, "EdgeTraversalPolicy"), {{"Block", 0}, {"Allow", 1}}, 1);
        read_enforcement(json::find(object, "EnforcementStatus"), rule);
        if (read_choice(json::find(object, "PrimaryStatus"), {{"Error", 3}}))
            rule.unread.emplace_back("PrimaryStatus Error");
    }

    void read_conditions(const json::object& object, Rule& rule) {
        read_filters(object, rule.filters);
        note_unread(object, rule);
        read_owner(object, rule.filters);
        for (const ById& list : filters_) {
            const auto found = list.find(rule.id);
            if (found == list.end()) continue;
            const auto& filters = found->second;
            constexpr std::size_t most_alike = 8;
            const bool alike = filters.size() <= most_alike &&
                               std::all_of(filters.begin(), filters.end(), [&](const auto* other) {
                                   return *other == *filters.front();
                               });
            if (!alike) continue;
            read_filters(*filters.front(), rule.filters);
            note_unread(*filters.front(), rule);
        }
    }

    void read_connections(const json::value* list) {
        auto& connections = ruleset_.connections.emplace();
        for (const json::value* entry : entries(list)) {
            const json::object* object = entry->if_object();
            if (object == nullptr || connections.size() >= most_rules) continue;
            Connection connection;
            connection.interface = text_of(*object, "InterfaceAlias");
            const auto category =
                read_choice(json::find(*object, "NetworkCategory"),
                            {{"Public", 0}, {"Private", 1}, {"DomainAuthenticated", 2}});
            constexpr Profile of_category[] = {Profile::public_network, Profile::private_network,
                                               Profile::domain};
            if (category) connection.profile = of_category[*category];
            connections.push_back(std::move(connection));
        }
    }

    void read_own_addresses(const json::value* list) {
        for (const json::value* entry : entries(list)) {
            const json::object* object = entry->if_object();
            if (object == nullptr || ruleset_.addresses.size() >= most_rules) continue;
            const std::string text = text_of(*object, "IPAddress");
            const auto address = IpAddress::parse(std::string_view(text).substr(0, text.find('%')));
            if (!address) continue;
            OwnAddress own;
            own.interface = text_of(*object, "InterfaceAlias");
            own.address = *address;
            const auto prefix = json::find_integer(*object, "PrefixLength");
            const unsigned width = address->is_v4() ? 32 : 128;
            own.prefix =
                prefix && *prefix >= 0 && *prefix <= width ? static_cast<unsigned>(*prefix) : width;
            own.usable =
                read_choice(json::find(*object, "AddressState"), {{"Preferred", 4}}).has_value();
            ruleset_.addresses.push_back(std::move(own));
        }
    }

    Ruleset ruleset_;
    ReadError error_;
    std::vector<ById> filters_;
};

}  // namespace

std::string_view to_string(Profile profile) {
    if (profile == Profile::domain) return "Domain";
    return profile == Profile::private_network ? "Private" : "Public";
}

Reading read_json(std::string_view text) {
    boost::json::monotonic_resource memory;
    const auto document = parse_ruleset(text, memory);
    if (!document) return document.error();
    return Reader().read(*document);
}

}  // namespace p2pdiag::firewall::windows
