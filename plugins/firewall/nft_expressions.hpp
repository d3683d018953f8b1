// The reader's middle part: expressions, sets and statements of nft's JSON.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.hpp"
#include "literals.hpp"
#include "ruleset.hpp"

namespace p2pdiag::firewall::nft {

// Chains and named sets by table, for the names that rules use.
struct Names {
    std::unordered_map<std::string, std::uint32_t> chains;  // key(family, table, name)
    std::unordered_map<std::string, std::uint32_t> sets;
};

std::string key(std::string_view family, std::string_view table, std::string_view name);

// What a rule or a set's element is read into.
struct Context {
    Ruleset& ruleset;
    const Names& names;
    std::string_view family;
    std::string_view table;
};

struct Typed {
    Expression expression;
    TypeInfo type;
};

// Never fails: what is not understood is Unknowable.
Typed read_expression(const json::value& value, Context& context);
// The text of a JSON string; empty when it is none.
std::string_view view(const json::value& text);
// A statement that may or may not let the packet on.
Uncertain uncertain(const json::value& statement, bool circumstantial);

// The parts of {"concat": […]}, or the one expression.
std::vector<Typed> read_parts(const json::value& value, Context& context);

// "@name" or {"set": […]}, to be compared with a key of these types. `no_index` when it cannot be
// read.
std::uint32_t read_set_reference(const json::value& value, const std::vector<TypeInfo>& types,
                                 Context& context);
MapLookup read_map(const json::object& map, Context& context);

// The types of a named set's key: "ipv4_addr", ["ipv4_addr", "inet_service"], {"typeof": …}.
std::vector<TypeInfo> read_types(const json::value& type, Context& context);

// Elements of a set or, of pairs, a map.
Set read_elements(const json::array& elements, const std::vector<TypeInfo>& types,
                  Context& context);
// "stmt" of a set or an element: something that may make a hit no hit.
bool has_limit(const json::array& statements);

// {"accept": null}, {"jump": {"target": "c"}}. Nothing when it is no decision or its chain is not
// known.
std::optional<Decision> read_decision(const json::value& value, const Context& context);

// Of the content of {"match": …}; `whole` is for showing.
Step read_match(const json::object& body, const json::value& whole, Context& context);

// Appends what one element of a rule's "expr" does.
void read_statement(const json::value& statement, Context& context, std::vector<Step>& steps);

}  // namespace p2pdiag::firewall::nft
