#include <span>

#include "nft_expressions.hpp"
#include "sets.hpp"

namespace p2pdiag::firewall::nft {

namespace {

// More fields than the kernel concatenates (16 registers).
constexpr std::size_t most_parts = 16;

// What a map's data is of is told nowhere near it: addresses and numbers look different enough.
TypeInfo type_by_look(const json::value& value) {
    if (const json::object* object = value.if_object()) {
        if (const json::array* range = json::find_array(*object, "range")) {
            return range->empty() ? TypeInfo() : type_by_look(range->front());
        }
        const json::object* prefix = json::find_object(*object, "prefix");
        const json::value* address = prefix == nullptr ? nullptr : json::find(*prefix, "addr");
        return address == nullptr ? TypeInfo() : type_by_look(*address);
    }
    if (value.is_number()) return {Type::number, 64};
    const auto address = IpAddress::parse(view(value));
    if (!address) return {};
    return address->is_v4() ? TypeInfo{Type::ipv4, 32} : TypeInfo{Type::ipv6, 128};
}

Datum read_datum(const json::value& value, const Context& context) {
    Datum datum;
    datum.decision = read_decision(value, context);
    if (datum.decision) return datum;
    const json::object* object = value.if_object();
    const json::array* parts = object == nullptr ? nullptr : json::find_array(*object, "concat");
    const std::span<const json::value> all = parts == nullptr
                                                 ? std::span<const json::value>(&value, 1)
                                                 : std::span(parts->begin(), parts->end());
    for (const json::value& part : all) {
        const auto interval = read_literal(part, type_by_look(part));
        if (!interval) return {};
        datum.values.push_back(*interval);
    }
    return datum;
}

struct Element {
    const json::value* key = nullptr;
    const json::value* data = nullptr;  // of a map
    bool fleeting = false;              // may time out, or counts only up to a limit
};

// Takes [key, data] and {"elem": {"val": key, …}} apart.
Element unwrap(const json::value& value) {
    Element element;
    element.key = &value;
    if (const json::array* pair = value.if_array(); pair != nullptr && pair->size() == 2) {
        element.key = &(*pair)[0];
        element.data = &(*pair)[1];
    }
    const json::object* object = element.key->if_object();
    const json::object* wrapped = object == nullptr ? nullptr : json::find_object(*object, "elem");
    if (wrapped == nullptr) return element;
    element.key = json::find(*wrapped, "val");
    for (const auto& member : *wrapped) {
        const auto name = member.key();
        if (name != "val" && name != "comment" && name != "counter") element.fleeting = true;
    }
    return element;
}

bool read_key(const json::value& key, const std::vector<TypeInfo>& types,
              std::vector<Interval>& parts) {
    parts.clear();
    const json::object* object = key.if_object();
    const json::array* concatenation =
        object == nullptr ? nullptr : json::find_array(*object, "concat");
    const std::span<const json::value> all =
        concatenation == nullptr ? std::span<const json::value>(&key, 1)
                                 : std::span(concatenation->begin(), concatenation->end());
    if (all.size() != types.size()) return false;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto interval = read_literal(all[i], types[i]);
        if (!interval) return false;
        parts.push_back(*interval);
    }
    return true;
}

}  // namespace

std::vector<TypeInfo> read_types(const json::value& type, Context& context) {
    std::vector<TypeInfo> types;
    if (const json::array* names = type.if_array()) {
        for (const json::value& name : *names) types.push_back(type_of_set(view(name)));
    } else if (const json::object* object = type.if_object()) {
        const json::value* like = json::find(*object, "typeof");
        if (like != nullptr) {
            for (const Typed& part : read_parts(*like, context)) types.push_back(part.type);
        }
    } else {
        std::string_view rest = view(type);
        while (true) {
            const std::size_t dot = rest.find(" . ");
            types.push_back(type_of_set(rest.substr(0, dot)));
            if (dot == std::string_view::npos) break;
            rest.remove_prefix(dot + 3);
        }
    }
    if (types.empty() || types.size() > most_parts) types.assign(1, TypeInfo());
    return types;
}

Set read_elements(const json::array& elements, const std::vector<TypeInfo>& types,
                  Context& context) {
    SetBuilder builder(types.size());
    std::vector<Interval> key;
    for (const json::value& value : elements) {
        const Element element = unwrap(value);
        if (element.key == nullptr) {
            builder.add_unread();
            continue;
        }
        const bool others = view(*element.key) == "*";
        if (!others && !read_key(*element.key, types, key)) {
            builder.add_unread();
        } else if (element.data == nullptr) {
            others ? builder.add_others() : builder.add(key, element.fleeting);
        } else {
            const Datum datum = read_datum(*element.data, context);
            others ? builder.add_others(datum) : builder.add(key, datum, element.fleeting);
        }
    }
    return builder.finish();
}

bool has_limit(const json::array& statements) {
    for (const json::value& statement : statements) {
        const json::object* object = statement.if_object();
        if (object == nullptr || object->size() != 1 || object->begin()->key() != "counter")
            return true;
    }
    return false;
}

std::uint32_t read_set_reference(const json::value& value, const std::vector<TypeInfo>& types,
                                 Context& context) {
    if (const std::string_view name = view(value); name.starts_with('@')) {
        const auto found =
            context.names.sets.find(key(context.family, context.table, name.substr(1)));
        return found == context.names.sets.end() ? no_index : found->second;
    }
    const json::object* object = value.if_object();
    if (object == nullptr || object->size() != 1 || types.empty() || types.size() > most_parts)
        return no_index;
    const json::value* inside = json::find(*object, "set");
    if (inside == nullptr) return no_index;
    // One element alone is printed without the brackets.
    json::array alone;
    if (!inside->is_array()) alone.push_back(*inside);
    const json::array& elements = inside->is_array() ? inside->get_array() : alone;
    context.ruleset.sets.push_back(read_elements(elements, types, context));
    return static_cast<std::uint32_t>(context.ruleset.sets.size() - 1);
}

std::optional<Decision> read_decision(const json::value& value, const Context& context) {
    const json::object* object = value.if_object();
    if (object == nullptr || object->size() != 1) return std::nullopt;
    const auto name = object->begin()->key();
    if (name == "accept") return Decision{Decision::Kind::accept, no_index};
    if (name == "drop") return Decision{Decision::Kind::drop, no_index};
    if (name == "continue") return Decision{Decision::Kind::next, no_index};
    if (name == "return") return Decision{Decision::Kind::back, no_index};
    if (name == "queue") return Decision{Decision::Kind::queue, no_index};
    if (name != "jump" && name != "goto") return std::nullopt;
    const json::object* body = object->begin()->value().if_object();
    const auto target = body == nullptr ? std::nullopt : json::find_string(*body, "target");
    if (!target) return std::nullopt;
    const auto found = context.names.chains.find(key(context.family, context.table, *target));
    if (found == context.names.chains.end()) return std::nullopt;
    return Decision{name == "jump" ? Decision::Kind::jump : Decision::Kind::go, found->second};
}

}  // namespace p2pdiag::firewall::nft
