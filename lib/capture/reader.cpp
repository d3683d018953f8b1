#include "capture/reader.hpp"

#include "base/text.hpp"
#include "capture/pcap.hpp"
#include "capture/pcapng.hpp"

namespace p2pdiag::capture {

namespace {

struct ReadCategory : boost::system::error_category {
    const char* name() const noexcept override { return "capture"; }
    std::string message(int value) const override {
        switch (static_cast<ReadError>(value)) {
            case ReadError::empty: return "it is empty";
            case ReadError::not_a_capture: return "it is neither a pcap nor a pcapng file";
            case ReadError::unsupported_version: return "its version of the format is not known";
            case ReadError::cut_header: return "it ends before the first packet";
        }
        return "unknown capture error";
    }
};

std::string ending(const Totals& totals) {
    const std::string read = "read " + times(totals.packets, "packet");
    const std::string where = " at byte " + std::to_string(totals.end_position);
    switch (totals.end) {
        case End::none:
        case End::complete: break;
        case End::cut:
            if (totals.error) return read + ", then " + totals.error.message();
            return read + ", the last " + times(totals.left_bytes, "byte") + " are cut off";
        case End::damaged: return read + ", the file is damaged" + where;
        case End::failed: return read + ", then reading failed: " + totals.error.message();
        case End::cancelled: return read + ", then it was stopped";
    }
    return {};
}

}  // namespace

std::string_view to_string(Format format) { return format == Format::pcap ? "pcap" : "pcapng"; }

const boost::system::error_category& read_category() {
    static const ReadCategory category;
    return category;
}

ErrorCode make_error_code(ReadError error) { return {static_cast<int>(error), read_category()}; }

End end_of(const ErrorCode& error, std::uint64_t left) {
    if (error == boost::system::errc::operation_canceled) return End::cancelled;
    if (error.category() == input_category()) {
        return error == InputError::cut_gzip ? End::cut : End::damaged;
    }
    if (error) return End::failed;
    return left == 0 ? End::complete : End::cut;
}

Result<Reader> Reader::open(std::unique_ptr<Input> input) {
    auto plain = uncompressed(std::move(input));
    if (!plain) return plain.error();
    Window window(std::move(*plain));
    const ByteView start = window.peek(4);
    if (start.empty()) return window.error() ? window.error() : make_error_code(ReadError::empty);
    const Format format = is_pcap(start) ? Format::pcap : Format::pcapng;
    if (format == Format::pcapng && !is_pcapng(start)) return ReadError::not_a_capture;
    auto reader =
        format == Format::pcap ? open_pcap(std::move(window)) : open_pcapng(std::move(window));
    if (!reader) return reader.error();
    return Reader(format, std::move(*reader));
}

std::vector<std::string> remarks(const Totals& totals) {
    std::vector<std::string> all;
    if (const std::string how = ending(totals); !how.empty()) all.push_back(how);
    const auto note = [&all](std::uint64_t number, const std::string& what,
                             const std::string& why) {
        if (number > 0) all.push_back(times(number, what) + ' ' + why);
    };
    note(totals.lost.value_or(0), "packet", "never reached the file: the capture was too slow");
    note(totals.oversized, "record", "skipped: longer than any packet may be");
    note(totals.bad_blocks, "block",
         "with an inside that contradicts itself: only what can be read was used");
    note(totals.unknown_interface, "packet", "skipped: of an interface that is not described");
    note(totals.unknown_blocks, "block", "skipped: of a type that is not known");
    note(totals.secrets_blocks, "block",
         "with decryption secrets in the file, not read: take them out before you share it");
    return all;
}

}  // namespace p2pdiag::capture
