#include "nft_json.hpp"

#include "base/text.hpp"
#include "bounded_json.hpp"
#include "nft_expressions.hpp"
#include "nft_pieces.hpp"
#include "nft_text.hpp"

namespace p2pdiag::firewall {

namespace nft {

std::string key(std::string_view family, std::string_view table, std::string_view name) {
    std::string all;
    all.reserve(family.size() + table.size() + name.size() + 2);
    return all.append(family).append(1, '\n').append(table).append(1, '\n').append(name);
}

}  // namespace nft

namespace {

using nft::Context;
using nft::key;

// Far beyond what a kernel holds; bounds what a hostile file costs.
constexpr std::size_t most_objects = 1'000'000;

struct Object {
    std::string_view kind;
    const json::object* body;
};

std::string_view text_member(const json::object& body, std::string_view name) {
    return json::find_string(body, name).value_or("");
}

TableFamily table_family_of(std::string_view name) {
    if (name == "ip") return TableFamily::ip;
    if (name == "ip6") return TableFamily::ip6;
    if (name == "inet") return TableFamily::inet;
    if (name == "netdev") return TableFamily::netdev;
    if (name == "bridge") return TableFamily::bridge;
    if (name == "arp") return TableFamily::arp;
    return TableFamily::other;
}

std::optional<Hook> hook_of(std::string_view name) {
    for (const Hook hook : {Hook::ingress, Hook::prerouting, Hook::input, Hook::forward,
                            Hook::output, Hook::postrouting, Hook::egress}) {
        if (to_string(hook) == name) return hook;
    }
    return std::nullopt;
}

// Kinds that no packet meets by themselves.
bool is_inert(std::string_view kind) {
    for (const std::string_view known :
         {"metainfo", "counter", "quota", "limit", "ct helper", "ct timeout", "ct expectation",
          "flowtable", "synproxy", "secmark", "tunnel"}) {
        if (kind == known) return true;
    }
    return false;
}

class ListingReader {
public:
    Reading read(const json::array& all) {
        if (!list(all)) return std::move(error_);
        for (const Object& object : objects_) {
            if (object.kind == "table") add_table(*object.body);
        }
        for (const Object& object : objects_) {
            if (object.kind == "chain") add_chain(*object.body);
        }
        for (const Object& object : objects_) {
            if (object.kind == "set" || object.kind == "map") add_set(*object.body);
        }
        for (const Object& object : objects_) {
            if (object.kind == "set" || object.kind == "map") fill_set(*object.body);
        }
        for (const Object& object : objects_) {
            if (object.kind == "rule")
                add_rule(*object.body);
            else
                note_unknown(object);
        }
        return std::move(ruleset_);
    }

private:
    // Entries with one member each: {"rule": {…}}, in a list of commands {"add": {"rule": {…}}}.
    bool list(const json::array& all) {
        if (all.size() > most_objects) {
            error_.message = "more than " + std::to_string(most_objects) + " entries";
            return false;
        }
        objects_.reserve(all.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            const json::object* entry = all[i].if_object();
            if (entry != nullptr && entry->size() == 1 && entry->contains("add")) {
                entry = entry->begin()->value().if_object();
            }
            if (entry == nullptr || entry->size() != 1) {
                error_.message =
                    "entry " + std::to_string(i) + " of \"nftables\" is not one object";
                return false;
            }
            const auto name = entry->begin()->key();
            const json::object* body = entry->begin()->value().if_object();
            if (body == nullptr) {
                error_.message = "entry " + std::to_string(i) + " of \"nftables\": \"" +
                                 printable({name.data(), name.size()}, 40) + "\" has no content";
                return false;
            }
            objects_.push_back({{name.data(), name.size()}, body});
        }
        return true;
    }

    void unplaced(std::string what) {
        constexpr std::size_t most = 20;
        if (ruleset_.unplaced.size() < most) ruleset_.unplaced.push_back(printable(what, 200));
    }

    void note_unknown(const Object& object) {
        if (object.kind == "table" || object.kind == "chain" || object.kind == "set" ||
            object.kind == "map" || is_inert(object.kind)) {
            return;
        }
        unplaced("an entry of unknown kind: " + std::string(object.kind));
    }

    void add_table(const json::object& body) {
        Table table;
        const std::string_view family = text_member(body, "family");
        table.family = table_family_of(family);
        table.name = printable(text_member(body, "name"));
        read_flags(body, text_member(body, "name"), table);
        const std::string where = key(family, text_member(body, "name"), "");
        if (!tables_.emplace(where, ruleset_.tables.size()).second) {
            return unplaced("table " + table.title() + " twice");
        }
        ruleset_.tables.push_back(std::move(table));
    }

    // nft 1.0.6 prints the table's name in place of its flags, whatever they are; a flag alone
    // comes without brackets.
    static void read_flags(const json::object& body, std::string_view name, Table& table) {
        const json::value* flags = json::find(body, "flags");
        if (flags == nullptr) return;
        const auto judge = [&](const json::value& value) {
            const auto* text = value.if_string();
            const std::string_view flag =
                text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
            if (flag == "owner" && name != "owner") table.owned = true;
            if (flag == "dormant" && name != "dormant")
                table.dormant = true;
            else if (flag == name || (flag != "owner" && flag != "persist"))
                table.maybe_dormant = true;
        };
        if (const json::array* list = flags->if_array()) {
            for (const json::value& flag : *list) judge(flag);
        } else {
            judge(*flags);
        }
        if (table.dormant) table.maybe_dormant = false;
    }

    // Tables that are not listed are met in files cut out of a ruleset.
    std::uint32_t table_of(const json::object& body) {
        const std::string_view family = text_member(body, "family");
        const std::string_view name = text_member(body, "table");
        const auto [found, fresh] = tables_.emplace(key(family, name, ""), ruleset_.tables.size());
        if (fresh) {
            Table table;
            table.family = table_family_of(family);
            table.name = printable(name);
            table.unlisted = true;
            ruleset_.tables.push_back(std::move(table));
        }
        return static_cast<std::uint32_t>(found->second);
    }

    void add_chain(const json::object& body) {
        Chain chain;
        const std::string_view name = text_member(body, "name");
        chain.name = printable(name);
        chain.table = table_of(body);
        if (body.contains("hook") || body.contains("type") || body.contains("prio"))
            read_base(body, chain);
        const std::string where =
            key(text_member(body, "family"), text_member(body, "table"), name);
        const auto index = static_cast<std::uint32_t>(ruleset_.chains.size());
        if (!names_.chains.emplace(where, index).second)
            return unplaced("chain " + chain.name + " twice");
        ruleset_.chains.push_back(std::move(chain));
    }

    static void read_base(const json::object& body, Chain& chain) {
        chain.is_base = true;
        chain.hook = hook_of(text_member(body, "hook"));
        const std::string_view type = text_member(body, "type");
        if (type == "nat")
            chain.type = ChainType::nat;
        else if (type == "route")
            chain.type = ChainType::route;
        else if (type != "filter")
            chain.unread = true;
        const auto priority = json::find_integer(body, "prio");
        if (!priority || *priority < INT32_MIN || *priority > INT32_MAX)
            chain.unread = true;
        else
            chain.priority = static_cast<std::int32_t>(*priority);
        const json::value* policy = json::find(body, "policy");
        const std::string_view word = policy == nullptr ? "accept" : text_member(body, "policy");
        chain.drops = word == "drop";
        if (!chain.hook || (word != "drop" && word != "accept")) chain.unread = true;
        for (const std::string_view name : {"dev", "devs"}) {
            const json::value* devices = json::find(body, name);
            if (devices == nullptr) continue;
            if (const json::array* list = devices->if_array()) {
                for (const json::value& device : *list) add_device(device, chain);
            } else {
                add_device(*devices, chain);
            }
        }
    }

    static void add_device(const json::value& device, Chain& chain) {
        if (const auto* name = device.if_string()) {
            chain.devices.emplace_back(name->data(), name->size());
        } else {
            chain.unread = true;
        }
    }

    void add_set(const json::object& body) {
        Set set;
        set.name = printable(text_member(body, "name"));
        set.table = table_of(body);
        const std::string where =
            key(text_member(body, "family"), text_member(body, "table"), text_member(body, "name"));
        const auto index = static_cast<std::uint32_t>(ruleset_.sets.size());
        if (!names_.sets.emplace(where, index).second)
            return unplaced("set " + set.name + " twice");
        ruleset_.sets.push_back(std::move(set));
        Context context = context_of(body);
        const json::value* type = json::find(body, "type");
        set_types_.push_back(type == nullptr ? std::vector<TypeInfo>(1)
                                             : nft::read_types(*type, context));
        // The type may have been an expression that brought sets of its own.
        set_types_.resize(ruleset_.sets.size());
        filled_.resize(ruleset_.sets.size());
    }

    void fill_set(const json::object& body) {
        const auto found = names_.sets.find(key(
            text_member(body, "family"), text_member(body, "table"), text_member(body, "name")));
        if (found == names_.sets.end() || filled_[found->second]) return;
        filled_[found->second] = true;
        Context context = context_of(body);
        const json::value* elements = json::find(body, "elem");
        const json::array nothing;
        const bool is_list = elements != nullptr && elements->is_array();
        Set read = nft::read_elements(is_list ? elements->get_array() : nothing,
                                      set_types_[found->second], context);
        read.has_unread = read.has_unread || (elements != nullptr && !is_list);
        Set& set = ruleset_.sets[found->second];
        read.name = set.name;
        read.table = set.table;
        const json::array* statements = json::find_array(body, "stmt");
        if (statements != nullptr && nft::has_limit(*statements)) {
            read.has_limit = true;
            read.fleeting.assign(read.size(), true);
        }
        const auto capacity = json::find_integer(body, "size");
        if (capacity && *capacity > 0) read.capacity = static_cast<std::uint64_t>(*capacity);
        set = std::move(read);
    }

    void add_rule(const json::object& body) {
        const auto found = names_.chains.find(key(
            text_member(body, "family"), text_member(body, "table"), text_member(body, "chain")));
        if (found == names_.chains.end()) {
            return unplaced("a rule of the unknown chain " +
                            std::string(text_member(body, "chain")));
        }
        Rule rule;
        rule.handle = json::find_integer(body, "handle").value_or(0);
        rule.comment = printable(text_member(body, "comment"));
        Context context = context_of(body);
        if (const json::array* statements = json::find_array(body, "expr")) {
            rule.text = nft::text_of_rule(*statements);
            rule.steps.reserve(statements->size());
            for (const json::value& statement : *statements) {
                nft::read_statement(statement, context, rule.steps);
            }
        } else if (json::find(body, "expr") != nullptr) {
            rule.steps.push_back(Opaque{{"a rule that is no list of statements", false}});
        }
        ruleset_.chains[found->second].rules.push_back(std::move(rule));
    }

    Context context_of(const json::object& body) {
        return {ruleset_, names_, text_member(body, "family"), text_member(body, "table")};
    }

    Ruleset ruleset_;
    ReadError error_;
    std::vector<Object> objects_;
    std::unordered_map<std::string, std::size_t> tables_;
    nft::Names names_;
    std::vector<std::vector<TypeInfo>> set_types_;  // as ruleset_.sets
    std::vector<bool> filled_;
};

}  // namespace

Reading read_nft_json(std::string_view text) {
    boost::json::monotonic_resource memory;
    const auto document = parse_ruleset(text, memory);
    if (!document) {
        const std::string table = broken_off_at(text);
        if (table.empty()) return document.error();
        return ReadError{"nft broke off at the table " + table +
                         ", as its release 1.0.6 does at some that have a flag (owner: a running "
                         "program keeps the table; dormant)"};
    }
    const json::object* object = document->if_object();
    const json::array* all = object == nullptr ? nullptr : json::find_array(*object, "nftables");
    if (all == nullptr) return ReadError{"no list \"nftables\": this is not what nft -j prints"};
    return ListingReader().read(*all);
}

}  // namespace p2pdiag::firewall
