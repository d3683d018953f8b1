// Reads tables of TOML: each reader takes what is right and says, with file, line and column, what
// is not.
#pragma once

#include <algorithm>
#include <cmath>

#include "diagnosis/rules_file.hpp"
#include "options/options.hpp"
#include "options/shown.hpp"
#include "profile/toml.hpp"

namespace p2pdiag::diagnosis {

inline constexpr std::size_t longest_text = 2000;
inline constexpr std::size_t longest_name = 64;

template <class Enum>
struct Word {
    std::string_view word;
    Enum value;
};

class TomlReader {
public:
    TomlReader(const std::string& file, Problems& problems) : file_(file), problems_(problems) {}

protected:
    using TomlEntry = profile::TomlEntry;
    using TomlValue = profile::TomlValue;
    using Kind = profile::TomlValue::Kind;

    At at(const TomlValue& value) const { return {file_, value.line, value.column}; }

    void wrong(unsigned line, unsigned column, std::string message) {
        problems_.push_back({file_, line, column, std::move(message)});
    }
    void wrong(const TomlValue& value, std::string message) {
        wrong(value.line, value.column, std::move(message));
    }

    static std::string nearest_text(const std::string& word,
                                    const std::vector<std::string>& known) {
        const auto near = options::nearest(word, known);
        return near ? "; did you mean \"" + *near + "\"?" : std::string();
    }

    void unknown_key(const TomlEntry& entry, const std::vector<std::string>& known) {
        wrong(entry.line, entry.column,
              "unknown key " + options::shown(entry.key) + nearest_text(entry.key, known));
    }

    static const TomlEntry* find(const TomlValue& table, std::string_view key) {
        const auto found = std::ranges::find(table.entries, key, &TomlEntry::key);
        return found == table.entries.end() ? nullptr : &*found;
    }

    // False where `value` is no table; its keys are looked at once.
    bool is_table(const TomlValue& value, const std::string& what,
                  const std::vector<std::string>& known) {
        if (value.kind != Kind::table) {
            wrong(value, what + ": expected a table, { … }");
            return false;
        }
        for (const TomlEntry& entry : value.entries) {
            if (std::ranges::find(known, entry.key) == known.end()) unknown_key(entry, known);
        }
        return true;
    }

    // None, which is said, where there are no tables.
    const std::vector<TomlValue>& tables(const TomlEntry& entry) {
        if (entry.value.kind != Kind::array) {
            wrong(entry.line, entry.column,
                  entry.key + ": expected tables, each under [[" + entry.key + "]]");
        }
        return entry.value.elements;
    }

    std::string text_of(const TomlValue& value, const std::string& what, std::size_t longest) {
        const auto* text = value.kind == Kind::scalar ? value.scalar.if_string() : nullptr;
        if (text == nullptr || text->empty()) {
            wrong(value, what + ": expected a text");
            return {};
        }
        if (text->size() > longest) {
            wrong(value, what + ": longer than " + std::to_string(longest) + " bytes");
            return {};
        }
        return std::string(*text);
    }

    std::string text(const TomlValue& table, std::string_view key, bool required,
                     std::size_t longest = longest_text) {
        if (const TomlEntry* entry = find(table, key)) {
            return text_of(entry->value, std::string(key), longest);
        }
        if (required) wrong(table, "has no " + std::string(key));
        return {};
    }

    bool boolean(const TomlValue& table, std::string_view key) {
        return optional_boolean(table, key).value_or(false);
    }

    std::optional<bool> optional_boolean(const TomlValue& table, std::string_view key) {
        const TomlEntry* entry = find(table, key);
        if (entry == nullptr) return std::nullopt;
        if (entry->value.kind == Kind::scalar && entry->value.scalar.is_bool()) {
            return entry->value.scalar.get_bool();
        }
        wrong(entry->value, std::string(key) + ": expected true or false");
        return std::nullopt;
    }

    std::optional<double> number(const TomlValue& table, std::string_view key) {
        const TomlEntry* entry = find(table, key);
        if (entry == nullptr) return std::nullopt;
        const json::value& scalar = entry->value.scalar;
        if (entry->value.kind == Kind::scalar && scalar.is_int64()) {
            return static_cast<double>(scalar.get_int64());
        }
        const bool finite = scalar.is_double() && std::isfinite(scalar.get_double());
        if (entry->value.kind == Kind::scalar && finite) return scalar.get_double();
        wrong(entry->value, std::string(key) + ": expected a number");
        return std::nullopt;
    }

    // One text, or an array of them.
    std::vector<std::pair<std::string, At>> texts(const TomlEntry& entry, std::size_t longest) {
        std::vector<std::pair<std::string, At>> out;
        const auto add = [&](const TomlValue& value) {
            std::string one = text_of(value, entry.key, longest);
            if (!one.empty()) out.emplace_back(std::move(one), at(value));
        };
        if (entry.value.kind == Kind::array) {
            for (const TomlValue& element : entry.value.elements) add(element);
        } else {
            add(entry.value);
        }
        return out;
    }

    template <class Enum, std::size_t count>
    std::optional<Enum> word(const std::string& given, const At& where, const std::string& what,
                             const Word<Enum> (&known)[count]) {
        std::vector<std::string> words;
        for (const auto& each : known) {
            if (each.word == given) return each.value;
            words.emplace_back(each.word);
        }
        std::string list;
        for (const std::string& each : words) list += (list.empty() ? "" : ", ") + each;
        wrong(where.line, where.column,
              what + ": " + options::shown(given) + " is none of " + list +
                  nearest_text(given, words));
        return std::nullopt;
    }

    template <class Enum, std::size_t count>
    std::optional<Enum> word_of(const TomlValue& table, std::string_view key, bool required,
                                const Word<Enum> (&known)[count]) {
        const std::string given = text(table, key, required, longest_name);
        if (given.empty()) return std::nullopt;
        return word(given, at(find(table, key)->value), std::string(key), known);
    }

private:
    const std::string& file_;
    Problems& problems_;
};

}  // namespace p2pdiag::diagnosis
