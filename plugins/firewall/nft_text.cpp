#include "nft_text.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace p2pdiag::firewall::nft {

namespace {

std::string_view std_view(boost::json::string_view text) { return {text.data(), text.size()}; }

// Writes until the text is long enough; what comes then is not even looked at.
class Writer {
public:
    std::string finish() && {
        if (text_.size() <= most_text) return printable(text_, most_text);
        return printable(text_, most_text - 3) + "...";
    }

    void rule(const json::array& statements) {
        for (const json::value& item : statements) {
            if (full()) return;
            if (!text_.empty()) text_ += ' ';
            statement(item);
        }
    }

    void statement(const json::value& value) {
        const json::object* object = value.if_object();
        if (object == nullptr || object->size() != 1) return no_statement(value);
        const std::string_view name = std_view(object->begin()->key());
        const json::value& inside = object->begin()->value();
        const json::object* body = inside.if_object();
        if (inside.is_null()) {
            text_ += name;
        } else if (body == nullptr) {
            text_ += std::string(name) + ' ';
            expression(inside);
        } else if (name == "counter") {
            // Without what it has counted so far: the rule stays the same rule.
            text_ += name;
        } else if (name == "log") {
            log(*body);
        } else if (name == "match") {
            match(*body);
        } else if (name == "vmap") {
            member(*body, "key");
            text_ += " vmap ";
            member(*body, "data");
        } else if (name == "mangle") {
            member(*body, "key");
            text_ += " set ";
            member(*body, "value");
        } else if (name == "jump" || name == "goto") {
            text_ += std::string(name) + ' ';
            member(*body, "target");
        } else if (name == "reject") {
            reject(*body);
        } else if (name == "limit") {
            limit(*body);
        } else if (name == "dnat" || name == "snat" || name == "redirect" || name == "masquerade") {
            translation(name, *body);
        } else if (name == "ct count") {
            text_ += json::find_bool(*body, "inv").value_or(false) ? "ct count over " : "ct count ";
            member(*body, "val");
        } else if (name == "set" || name == "map") {
            update(name, *body);
        } else if (name == "xt") {
            text_ += "xt ";
            member(*body, "type");
            text_ += ' ';
            member(*body, "name");
        } else {
            text_ += name;
            members(*body);
        }
    }

    void expression(const json::value& value) {
        if (full()) return;
        if (const auto* text = value.if_string()) {
            text_ += std_view(*text);
        } else if (const json::array* list = value.if_array()) {
            joined(*list, ",");
        } else if (const json::object* object = value.if_object(); object && object->size() == 1) {
            named(std_view(object->begin()->key()), object->begin()->value(), value);
        } else {
            raw(value);
        }
    }

private:
    bool full() const { return text_.size() > most_text; }

    void raw(const json::value& value) {
        // Of anything large only its kind is worth showing.
        if (value.is_object() || value.is_array()) {
            text_ += "(...)";
        } else if (const auto* text = value.if_string()) {
            text_ += std_view(*text);
        } else {
            text_ += json::to_text(value);
        }
    }

    // A statement of nft's is an object with one member, whose name is that of the statement.
    void no_statement(const json::value& value) {
        const json::object* object = value.if_object();
        if (object == nullptr) {
            text_ += "(no statement: ";
            raw(value);
        } else if (object->empty()) {
            text_ += "(a statement without a name";
        } else {
            text_ += "(a statement with several names:";
            for (const auto& item : *object) {
                if (full()) return;
                text_ += ' ' + std::string(std_view(item.key()));
            }
        }
        text_ += ')';
    }

    void joined(const json::array& list, std::string_view separator) {
        bool first = true;
        for (const json::value& item : list) {
            if (full()) return;
            if (!first) text_ += separator;
            first = false;
            expression(item);
        }
    }

    void member(const json::object& body, std::string_view name) {
        if (const json::value* value = json::find(body, name)) expression(*value);
    }

    void members(const json::object& body) {
        for (const auto& item : body) {
            if (full()) return;
            text_ += ' ' + std::string(std_view(item.key())) + ' ';
            expression(item.value());
        }
    }

    void named(std::string_view name, const json::value& inside, const json::value& whole) {
        const json::object* body = inside.if_object();
        const json::array* list = inside.if_array();
        if (list != nullptr && name == "concat") return joined(*list, " . ");
        if (list != nullptr && name == "range") return joined(*list, "-");
        if (list != nullptr && name == "set") return braces(*list);
        if (list != nullptr) return joined(*list, ' ' + std::string(name) + ' ');
        if (name == "set") {
            text_ += "{ ";
            expression(inside);
            text_ += " }";
        } else if (inside.is_null()) {
            text_ += name;
        } else if (body != nullptr) {
            named_object(name, *body);
        } else {
            raw(whole);
        }
    }

    void named_object(std::string_view name, const json::object& body) {
        if (name == "prefix") {
            member(body, "addr");
            text_ += '/';
            if (const auto length = json::find_integer(body, "len"))
                text_ += std::to_string(*length);
        } else if (name == "payload") {
            payload(body);
        } else if (name == "meta") {
            meta(body);
        } else if (name == "ct") {
            text_ += "ct ";
            member(body, "dir");
            if (json::find(body, "dir") != nullptr) text_ += ' ';
            member(body, "key");
        } else if (name == "fib") {
            text_ += "fib ";
            if (const json::array* flags = json::find_array(body, "flags")) joined(*flags, " . ");
            text_ += ' ';
            member(body, "result");
        } else if (name == "socket") {
            text_ += "socket ";
            member(body, "key");
        } else if (name == "map") {
            member(body, "key");
            text_ += " map ";
            member(body, "data");
        } else if (name == "elem") {
            member(body, "val");
        } else if (name == "jump" || name == "goto") {
            text_ += std::string(name) + ' ';
            member(body, "target");
        } else if (name == "exthdr" || name == "tcp option" || name == "ip option") {
            if (name != "exthdr" || json::find(body, "field") == nullptr)
                text_ += std::string(name) + ' ';
            member(body, "name");
            if (json::find(body, "field") != nullptr) text_ += ' ';
            member(body, "field");
        } else {
            text_ += name;
            members(body);
        }
    }

    void payload(const json::object& body) {
        if (json::find(body, "protocol") != nullptr) {
            member(body, "protocol");
            text_ += ' ';
            member(body, "field");
            return;
        }
        text_ += '@';
        member(body, "base");
        text_ += ',';
        member(body, "offset");
        text_ += ',';
        member(body, "len");
    }

    void meta(const json::object& body) {
        const auto key = json::find_string(body, "key").value_or("");
        for (const std::string_view bare : {"iif", "iifname", "oif", "oifname"}) {
            if (key == bare) {
                text_ += key;
                return;
            }
        }
        text_ += "meta " + std::string(key);
    }

    void braces(const json::array& elements) {
        text_ += "{ ";
        bool first = true;
        for (const json::value& element : elements) {
            if (full()) return;
            if (!first) text_ += ", ";
            first = false;
            const json::array* pair = element.if_array();
            if (pair != nullptr && pair->size() == 2) {
                joined(*pair, " : ");
            } else {
                expression(element);
            }
        }
        text_ += " }";
    }

    void match(const json::object& body) {
        const json::value* left = json::find(body, "left");
        const json::value* right = json::find(body, "right");
        if (left == nullptr || right == nullptr) return raw(body);
        expression(*left);
        const auto op = json::find_string(body, "op").value_or("?");
        text_ += ' ';
        const bool understood = op == "in" || (op == "==" && !is_calculated(*left));
        if (!understood) text_ += std::string(op) + ' ';
        if (const bool* truth = right->if_bool()) {
            text_ += *truth ? "exists" : "missing";
        } else if (is_name(*left) && right->is_string() &&
                   !std_view(right->get_string()).starts_with('@')) {
            text_ += '"';
            expression(*right);
            text_ += '"';
        } else {
            expression(*right);
        }
    }

    // "ct mark & 0xf", behind which nft writes even "==".
    static bool is_calculated(const json::value& left) {
        const json::object* object = left.if_object();
        return object != nullptr && std::ranges::any_of(*object, [](const auto& member) {
                   static constexpr std::string_view signs[] = {"&", "|", "^", "<<", ">>"};
                   return std::ranges::find(signs, std_view(member.key())) != std::end(signs);
               });
    }

    // Of an interface, which nft prints in quotes.
    static bool is_name(const json::value& left) {
        const json::object* object = left.if_object();
        const json::object* meta = object == nullptr ? nullptr : json::find_object(*object, "meta");
        const auto key = meta == nullptr ? std::nullopt : json::find_string(*meta, "key");
        return key && (key->starts_with("iif") || key->starts_with("oif"));
    }

    void reject(const json::object& body) {
        text_ += "reject";
        const auto type = json::find_string(body, "type").value_or("");
        const auto code = json::find_string(body, "expr").value_or("");
        if (type == "icmpx" && code == "port-unreachable") return;
        text_ += " with " + std::string(type);
        if (!code.empty()) text_ += ' ' + std::string(code);
    }

    // nft prints the prefix in quotes, which may hold anything but these.
    void log(const json::object& body) {
        text_ += "log";
        for (const auto& item : body) {
            if (full()) return;
            const std::string_view name = std_view(item.key());
            const std::string_view quote = name == "prefix" ? "\"" : "";
            text_ += ' ' + std::string(name) + ' ' + std::string(quote);
            expression(item.value());
            text_ += quote;
        }
    }

    void limit(const json::object& body) {
        text_ += json::find_bool(body, "inv").value_or(false) ? "limit rate over " : "limit rate ";
        member(body, "rate");
        const auto unit = json::find_string(body, "rate_unit");
        if (unit) text_ += ' ' + std::string(*unit);
        text_ += '/';
        member(body, "per");
    }

    void translation(std::string_view name, const json::object& body) {
        text_ += name;
        if (json::find(body, "family") != nullptr) text_ += ' ';
        member(body, "family");
        const bool address = json::find(body, "addr") != nullptr;
        const bool port = json::find(body, "port") != nullptr;
        if (address || port) text_ += " to ";
        member(body, "addr");
        if (port) text_ += ':';
        member(body, "port");
        if (const json::value* flags = json::find(body, "flags")) {
            text_ += ' ';
            expression(*flags);
        }
    }

    void update(std::string_view kind, const json::object& body) {
        member(body, "op");
        text_ += ' ';
        member(body, kind);
        text_ += " { ";
        member(body, "elem");
        text_ += " }";
    }

    std::string text_;
};

}  // namespace

std::string text_of_expression(const json::value& expression) {
    Writer writer;
    writer.expression(expression);
    return std::move(writer).finish();
}

std::string text_of_statement(const json::value& statement) {
    Writer writer;
    writer.statement(statement);
    return std::move(writer).finish();
}

std::string text_of_rule(const json::array& statements) {
    Writer writer;
    writer.rule(statements);
    return std::move(writer).finish();
}

}  // namespace p2pdiag::firewall::nft
