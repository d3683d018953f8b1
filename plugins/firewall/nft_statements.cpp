#include "nft_expressions.hpp"
#include "nft_text.hpp"

namespace p2pdiag::firewall::nft {

namespace {

Opaque opaque(const json::value& statement) { return {{text_of_statement(statement), false}}; }

Step read_mangle(const json::object& body, const json::value& whole, Context& context) {
    const json::object* target = json::find_object(body, "key");
    const json::value* value = json::find(body, "value");
    if (target == nullptr || value == nullptr || target->size() != 1) return opaque(whole);
    const auto kind = target->begin()->key();
    const json::object* inside = target->begin()->value().if_object();
    if (inside == nullptr) return opaque(whole);
    const auto name = json::find_string(*inside, "key").value_or("");
    const bool marks = (kind == "meta" || kind == "ct") && name == "mark";
    if (marks) {
        SetMark set;
        set.of_connection = kind == "ct";
        if (const auto constant = read_exact(*value, {Type::number, 32})) {
            set.value = {*constant, 32};
        } else {
            set.value = read_expression(*value, context).expression;
        }
        return set;
    }
    if (kind == "payload") {
        const Typed field = read_expression(json::object{{"payload", *inside}}, context);
        const auto* where = std::get_if<Payload>(&field.expression.form);
        return where == nullptr ? Step(opaque(whole)) : Step(SetPayload{*where});
    }
    // The value may come from a map, and a miss in it breaks the rule off.
    const bool plain = !value->is_object();
    if (kind == "meta" && plain) {
        const bool harmless = name == "priority" || name == "nftrace" || name == "secmark";
        return harmless ? Step(Effectless()) : Step(opaque(whole));
    }
    if (kind == "meta" && (name == "priority" || name == "secmark")) return uncertain(whole, true);
    if (kind == "tcp option") return uncertain(whole, true);
    if (kind == "ct" && (name == "label" || name == "event" || name == "helper") && plain) {
        return Effectless();
    }
    return opaque(whole);
}

Step read_reject(const json::value& inside, const json::value& whole) {
    Reject reject;
    const json::object* body = inside.if_object();
    if (body == nullptr) {
        reject.kind = "icmp port-unreachable";
        return inside.is_null() ? Step(reject) : Step(opaque(whole));
    }
    const auto type = json::find_string(*body, "type").value_or("icmpx");
    const json::value* code = json::find(*body, "expr");
    if (type == "tcp reset") {
        reject.kind = "tcp reset";
        reject.protocol = protocol_number("tcp");
        return reject;
    }
    if (type == "icmp")
        reject.family = Family::ipv4;
    else if (type == "icmpv6")
        reject.family = Family::ipv6;
    else if (type != "icmpx")
        return opaque(whole);
    const std::string_view name = code == nullptr ? "port-unreachable" : view(*code);
    reject.kind = "icmp " + (name.empty() ? text_of_expression(*code) : std::string(name));
    return reject;
}

// "addr" and "port" of a translation: a value, a range, or something computed.
bool read_target(const json::value& value, const TypeInfo& type, std::optional<Expression>& exact,
                 std::optional<Interval>& range, Context& context) {
    if (const auto interval = read_literal(value, type)) {
        if (interval->low == interval->high) {
            exact = Expression{interval->low, type.width};
        } else {
            range = interval;
        }
        return true;
    }
    Expression expression = read_expression(value, context).expression;
    const auto* map = std::get_if<MapLookup>(&expression.form);
    if (map == nullptr) return false;
    exact = std::move(expression);
    return true;
}

Step read_translation(Translate::Kind kind, const json::value& inside, const json::value& whole,
                      Context& context) {
    Translate translate;
    translate.kind = kind;
    const json::object empty;
    const json::object& body = inside.is_object() ? inside.get_object() : empty;
    if (!inside.is_object() && !inside.is_null()) return opaque(whole);
    const auto family = json::find_string(body, "family");
    if (family == "ip" || context.family == "ip") translate.family = Family::ipv4;
    if (family == "ip6" || context.family == "ip6") translate.family = Family::ipv6;
    if (const json::value* address = json::find(body, "addr")) {
        const bool v6 = translate.family == Family::ipv6 ||
                        (!translate.family && view(*address).find(':') != std::string_view::npos);
        const TypeInfo type = v6 ? TypeInfo{Type::ipv6, 128} : TypeInfo{Type::ipv4, 32};
        if (!translate.family && translate.kind == Translate::Kind::destination)
            return opaque(whole);
        if (!read_target(*address, type, translate.address, translate.address_range, context)) {
            return opaque(whole);
        }
    }
    if (const json::value* port = json::find(body, "port")) {
        if (!read_target(*port, {Type::port, 16}, translate.port, translate.port_range, context)) {
            return opaque(whole);
        }
    }
    for (const auto& member : body) {
        const auto name = member.key();
        if (name == "type_flags")
            translate.keeps_low_bits = true;
        else if (name == "flags") {
            if (text_of_expression(member.value()).find("netmap") != std::string::npos) {
                translate.keeps_low_bits = true;
            }
        } else if (name != "family" && name != "addr" && name != "port") {
            return opaque(whole);
        }
    }
    return translate;
}

Step read_set_update(const json::object& body, const json::value& whole, Context& context) {
    const auto op = json::find_string(body, "op");
    const json::value* element = json::find(body, "elem");
    const json::value* data = json::find(body, "data");
    const json::value* set = json::find(body, data == nullptr ? "set" : "map");
    if (!op || element == nullptr || set == nullptr) return opaque(whole);
    if (const json::object* object = element->if_object()) {
        if (const json::object* wrapped = json::find_object(*object, "elem")) {
            element = json::find(*wrapped, "val");
            if (element == nullptr) return opaque(whole);
        }
    }
    UpdateSet update;
    for (Typed& part : read_parts(*element, context))
        update.key.push_back(std::move(part.expression));
    update.set = read_set_reference(*set, {}, context);
    if (update.set == no_index) return opaque(whole);
    update.removes = *op == "delete";
    const json::array* statements = json::find_array(body, "stmt");
    // What the data is computed from may not be there.
    update.limited = context.ruleset.sets[update.set].has_limit || data != nullptr ||
                     (statements != nullptr && has_limit(*statements));
    return update;
}

// xtables' own extensions, of which nft's JSON knows the name alone.
Step read_xt(const json::value& inside, const json::value& whole) {
    const json::object* body = inside.if_object();
    const auto type = body == nullptr ? std::nullopt : json::find_string(*body, "type");
    const auto name = body == nullptr ? std::nullopt : json::find_string(*body, "name");
    if (!type || !name) return opaque(whole);
    if (*type == "match")
        return *name == "comment" ? Step(Effectless()) : Step(uncertain(whole, false));
    for (const std::string_view harmless :
         {"LOG", "NFLOG", "CHECKSUM", "AUDIT", "TRACE", "CLASSIFY"}) {
        if (*name == harmless) return Effectless();
    }
    return opaque(whole);
}

bool is_effectless(std::string_view name, const json::value& inside) {
    if (name == "counter") return !inside.is_object() || !inside.get_object().contains("map");
    for (const std::string_view known :
         {"log", "last", "dup", "ct timeout", "ct helper", "ct expectation", "secmark"}) {
        if (name == known) return !inside.is_object() || !inside.get_object().contains("map");
    }
    return false;
}

bool is_rate(std::string_view name) {
    for (const std::string_view known :
         {"limit", "quota", "ct count", "meter", "flow", "counter", "reset"}) {
        if (name == known) return true;
    }
    return false;
}

}  // namespace

void read_statement(const json::value& statement, Context& context, std::vector<Step>& steps) {
    const json::object* object = statement.if_object();
    if (object == nullptr || object->size() != 1) {
        steps.push_back(opaque(statement));
        return;
    }
    const std::string_view name(object->begin()->key().data(), object->begin()->key().size());
    const json::value& inside = object->begin()->value();
    const json::object* body = inside.if_object();
    if (const auto decision = read_decision(statement, context)) {
        steps.push_back(*decision);
    } else if (name == "match" && body != nullptr) {
        steps.push_back(read_match(*body, statement, context));
    } else if (name == "vmap" && body != nullptr) {
        VerdictMap map{read_map(*body, context)};
        steps.push_back(map.lookup.set == no_index ? Step(opaque(statement))
                                                   : Step(std::move(map)));
    } else if (is_effectless(name, inside)) {
        steps.push_back(Effectless());
    } else if (is_rate(name)) {
        steps.push_back(uncertain(statement, true));
    } else if (name == "mangle" && body != nullptr) {
        steps.push_back(read_mangle(*body, statement, context));
    } else if (name == "reject") {
        steps.push_back(read_reject(inside, statement));
    } else if (name == "notrack") {
        steps.push_back(Untrack());
    } else if (name == "dnat") {
        steps.push_back(read_translation(Translate::Kind::destination, inside, statement, context));
    } else if (name == "redirect") {
        steps.push_back(read_translation(Translate::Kind::redirect, inside, statement, context));
    } else if (name == "snat") {
        steps.push_back(read_translation(Translate::Kind::source, inside, statement, context));
    } else if (name == "masquerade") {
        steps.push_back(read_translation(Translate::Kind::masquerade, inside, statement, context));
    } else if ((name == "set" || name == "map") && body != nullptr) {
        steps.push_back(read_set_update(*body, statement, context));
    } else if (name == "xt") {
        steps.push_back(read_xt(inside, statement));
    } else {
        steps.push_back(opaque(statement));
    }
}

}  // namespace p2pdiag::firewall::nft
