#include "nft_expressions.hpp"

#include "base/text.hpp"
#include "fields.hpp"
#include "nft_text.hpp"

namespace p2pdiag::firewall::nft {

namespace {

Typed unknowable(std::string what, bool circumstantial) {
    const Type type = circumstantial ? Type::number : Type::opaque;
    return {{Unknowable{std::move(what), circumstantial}, 128}, {type, 128}};
}

Typed not_understood(const json::value& value) {
    return unknowable(text_of_expression(value), false);
}

Typed read_payload(const json::object& payload, const json::value& whole) {
    if (const auto protocol = json::find_string(payload, "protocol")) {
        const auto name = json::find_string(payload, "field");
        const auto field =
            name && payload.size() == 2 ? payload_field(*protocol, *name) : std::nullopt;
        if (!field) return not_understood(whole);
        return {{field->where, field->type.width}, field->type};
    }
    const auto base = json::find_string(payload, "base");
    const auto offset = json::find_integer(payload, "offset");
    const auto length = json::find_integer(payload, "len");
    if (!base || !offset || !length || payload.size() != 3) return not_understood(whole);
    if (*offset < 0 || *offset > 65535 || *length < 1 || *length > 128)
        return not_understood(whole);
    Payload raw;
    if (*base == "nh") {
        raw.base = Base::network;
    } else if (*base == "th") {
        raw.base = Base::transport;
    } else if (*base == "ll") {
        raw.base = Base::link;
    } else {
        return not_understood(whole);
    }
    raw.offset = static_cast<std::uint32_t>(*offset);
    raw.length = static_cast<std::uint32_t>(*length);
    const auto width = static_cast<std::uint8_t>(raw.length);
    return {{raw, width}, {Type::number, width}};
}

Typed read_meta(const json::object& meta, const json::value& whole) {
    const auto key = json::find_string(meta, "key");
    if (!key || meta.size() != 1) return not_understood(whole);
    if (const auto field = meta_field(*key)) return {{field->key, field->type.width}, field->type};
    return unknowable(text_of_expression(whole), is_circumstantial_meta(*key));
}

Typed read_ct(const json::object& ct, const json::value& whole) {
    const auto key = json::find_string(ct, "key");
    const auto direction = json::find_string(ct, "dir").value_or("");
    if (!key || ct.size() != (direction.empty() ? 1 : 2)) return not_understood(whole);
    if (const auto field = ct_field(*key, direction)) {
        return {{field->key, field->type.width}, field->type};
    }
    const bool a_count =
        *key == "bytes" || *key == "packets" || *key == "avgpkt" || *key == "expiration";
    return unknowable(text_of_expression(whole), a_count);
}

Typed read_fib(const json::object& fib, const json::value& whole) {
    const auto result = json::find_string(fib, "result");
    const json::value* flags = json::find(fib, "flags");
    if (!result || flags == nullptr || fib.size() != 2) return not_understood(whole);
    Fib look;
    bool of_destination = false;
    json::array list;
    if (flags->is_array()) {
        list = flags->get_array();
    } else {
        list.push_back(*flags);
    }
    for (const json::value& flag : list) {
        const auto* text = flag.if_string();
        const std::string_view name =
            text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
        if (name == "saddr")
            look.of_source = true;
        else if (name == "daddr")
            of_destination = true;
        else if (name == "iif")
            look.on_input = true;
        else if (name == "oif")
            look.on_output = true;
        else if (name == "mark")
            look.with_mark = true;
        else
            return not_understood(whole);
    }
    if (look.of_source == of_destination) return not_understood(whole);
    if (*result == "type") return {{look, 32}, {Type::fib_type, 32}};
    look.result = *result == "check" ? Fib::Result::exists : Fib::Result::interface;
    if (*result == "check") return {{look, 1}, {Type::boolean, 1}};
    if (*result == "oif") return {{look, 128}, {Type::interface, 128}};
    if (*result == "oifname") return {{look, 128}, {Type::name, 128}};
    return not_understood(whole);
}

Typed read_absent(const json::object& header, Family family) {
    Absent absent;
    absent.family = family;
    absent.presence = json::find(header, "field") == nullptr;
    return absent.presence ? Typed{{absent, 1}, {Type::boolean, 1}} : Typed{{absent, 128}, {}};
}

bool is_expression(const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr || object->size() != 1) return false;
    const auto name = object->begin()->key();
    return name != "prefix" && name != "range" && name != "set";
}

// {"&": [left, mask]}: the constants are of the type of what stands before them.
Typed read_arithmetic(Arithmetic::Operation operation, const json::array& operands,
                      const json::value& whole, Context& context) {
    if (operands.size() < 2 || operands.size() > 32) return not_understood(whole);
    Arithmetic arithmetic;
    arithmetic.operation = operation;
    TypeInfo type = {Type::number, 128};
    bool first = true;
    for (const json::value& operand : operands) {
        if (is_expression(operand)) {
            Typed typed = read_expression(operand, context);
            if (std::holds_alternative<Unknowable>(typed.expression.form)) return typed;
            if (first) type = typed.type;
            arithmetic.operands.push_back(std::move(typed.expression));
        } else {
            const bool shifted = !first && operation >= Arithmetic::Operation::shift_left;
            const TypeInfo number = {Type::number, 128};
            const auto constant = read_exact(operand, shifted ? number : type);
            if (!constant) return not_understood(whole);
            arithmetic.operands.push_back({*constant, type.width});
        }
        first = false;
    }
    return {{std::move(arithmetic), type.width}, type};
}

std::optional<Arithmetic::Operation> operation_of(std::string_view name) {
    if (name == "&") return Arithmetic::Operation::bit_and;
    if (name == "|") return Arithmetic::Operation::bit_or;
    if (name == "^") return Arithmetic::Operation::bit_xor;
    if (name == "<<") return Arithmetic::Operation::shift_left;
    if (name == ">>") return Arithmetic::Operation::shift_right;
    return std::nullopt;
}

// The value of a map takes the type that its use gives it; look-ups keep intervals of numbers.
Typed read_map_value(const json::object& map, Context& context) {
    MapLookup lookup = read_map(map, context);
    if (lookup.set == no_index) return unknowable("a map", false);
    return {{std::move(lookup), 128}, {Type::number, 128}};
}

// A matter of chance, load or the state of a socket: understood, but not to be known beforehand.
bool is_circumstantial(std::string_view name) {
    for (const std::string_view known :
         {"numgen", "jhash", "symhash", "rt", "socket", "osf", "ipsec", "tcp option"}) {
        if (known == name) return true;
    }
    return false;
}

}  // namespace

std::string_view view(const json::value& text) {
    const auto* string = text.if_string();
    return string == nullptr ? std::string_view()
                             : std::string_view(string->data(), string->size());
}

Uncertain uncertain(const json::value& statement, bool circumstantial) {
    return {{text_of_statement(statement), circumstantial}};
}

Typed read_expression(const json::value& value, Context& context) {
    const json::object* object = value.if_object();
    if (object == nullptr || object->size() != 1) return not_understood(value);
    const std::string_view name(object->begin()->key().data(), object->begin()->key().size());
    const json::value& inside = object->begin()->value();
    if (const auto operation = operation_of(name); operation && inside.is_array()) {
        return read_arithmetic(*operation, inside.get_array(), value, context);
    }
    if (is_circumstantial(name)) {
        Typed typed = unknowable(text_of_expression(value), true);
        // nft_exthdr.c of the kernel breaks the rule off for all but TCP.
        if (name == "tcp option") std::get<Unknowable>(typed.expression.form).protocol = 6;
        return typed;
    }
    const json::object* body = inside.if_object();
    if (body == nullptr) return not_understood(value);
    if (name == "payload") return read_payload(*body, value);
    if (name == "meta") return read_meta(*body, value);
    if (name == "ct") return read_ct(*body, value);
    if (name == "fib") return read_fib(*body, value);
    if (name == "exthdr") return read_absent(*body, Family::ipv6);
    if (name == "ip option") return read_absent(*body, Family::ipv4);
    if (name == "map") return read_map_value(*body, context);
    return not_understood(value);
}

std::vector<Typed> read_parts(const json::value& value, Context& context) {
    std::vector<Typed> parts;
    const json::object* object = value.if_object();
    const json::array* concatenation =
        object == nullptr ? nullptr : json::find_array(*object, "concat");
    if (concatenation == nullptr || object->size() != 1) {
        parts.push_back(read_expression(value, context));
        return parts;
    }
    for (const json::value& part : *concatenation) parts.push_back(read_expression(part, context));
    return parts;
}

MapLookup read_map(const json::object& map, Context& context) {
    MapLookup lookup;
    const json::value* key = json::find(map, "key");
    const json::value* data = json::find(map, "data");
    if (key == nullptr || data == nullptr || map.size() != 2) return lookup;
    std::vector<TypeInfo> types;
    for (Typed& part : read_parts(*key, context)) {
        types.push_back(part.type);
        lookup.key.push_back(std::move(part.expression));
    }
    lookup.set = read_set_reference(*data, types, context);
    if (lookup.set != no_index && context.ruleset.sets[lookup.set].parts != lookup.key.size()) {
        lookup.set = no_index;
    }
    return lookup;
}

}  // namespace p2pdiag::firewall::nft
