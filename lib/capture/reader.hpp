// Reads a capture file packet by packet in bounded memory: classic pcap and pcapng, both byte
// orders, any number of sections and interfaces, compressed by gzip or not.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "capture/input.hpp"
#include "capture/packet.hpp"

namespace p2pdiag::capture {

enum class Format : std::uint8_t { pcap, pcapng };
std::string_view to_string(Format format);

// How the reading ended.
enum class End : std::uint8_t {
    none,      // not yet
    complete,  // after the last record, where a file ends
    cut,       // within a record, or within the compressed stream
    damaged,   // at bytes that are no record
    failed,    // the system could not read on
    cancelled
};

// What there was besides packets, and what could not be used.
struct Totals {
    std::uint64_t packets = 0;
    std::uint64_t captured_bytes = 0;
    std::uint64_t sections = 0;
    std::uint64_t unknown_blocks = 0;     // of a type that is not known; skipped
    std::uint64_t secrets_blocks = 0;     // decryption secrets; never looked at
    std::uint64_t oversized = 0;          // packets and blocks longer than any may be; skipped
    std::uint64_t bad_blocks = 0;         // whose inside contradicts itself; used as far as it goes
    std::uint64_t unknown_interface = 0;  // packets of an interface that was not described; skipped
    // Packets that the capturing system says it lost; nothing where no statistics stand in the
    // file.
    std::optional<std::uint64_t> lost;
    // When the capture ended, as its statistics say, which may be long after the last packet.
    // Nanoseconds since 1970.
    std::optional<std::int64_t> ended_ns;

    End end = End::none;
    std::uint64_t end_position = 0;  // uncompressed bytes before the record at which it ended
    std::uint64_t left_bytes = 0;    // of that record, that are there but of no use
    ErrorCode error;                 // why, with failed and with a broken compressed stream
};

// Within a Reader: how it ends where the input gives no whole record any more, of which `left`
// bytes are there.
End end_of(const ErrorCode& input_error, std::uint64_t left);

// Within a Reader: what one of the formats does.
class FormatReader {
public:
    virtual ~FormatReader() = default;
    // False once there are no more; totals().end says why then.
    virtual bool next(Packet& packet) = 0;
    virtual const std::vector<Interface>& interfaces() const = 0;
    virtual const Totals& totals() const = 0;
};

class Reader {
public:
    // Reads as much as tells the format. The error: not_a_capture, unsupported_version, or that of
    // the input.
    static Result<Reader> open(std::unique_ptr<Input> input);

    bool next(Packet& packet) { return reader_->next(packet); }

    Format format() const { return format_; }
    // Of all sections so far, in the order they came; grows while reading.
    const std::vector<Interface>& interfaces() const { return reader_->interfaces(); }
    const Totals& totals() const { return reader_->totals(); }

private:
    Reader(Format format, std::unique_ptr<FormatReader> reader)
        : format_(format), reader_(std::move(reader)) {}

    Format format_;
    std::unique_ptr<FormatReader> reader_;
};

// One sentence on how the reading ended and what was left out: "read 12 packets, the last 40 bytes
// are cut off". Empty when everything was read.
std::vector<std::string> remarks(const Totals& totals);

enum class ReadError {
    empty = 1,            // not one byte
    not_a_capture,        // neither pcap nor pcapng
    unsupported_version,  // a pcap other than version 2, or a pcapng other than version 1
    cut_header            // ends before the first record could begin
};
const boost::system::error_category& read_category();
ErrorCode make_error_code(ReadError error);

}  // namespace p2pdiag::capture

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::capture::ReadError> : std::true_type {};
}  // namespace boost::system
