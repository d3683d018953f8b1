#include "capture/stream.hpp"

#include <algorithm>

namespace p2pdiag::capture {

bool StreamBytes::add(std::uint32_t sequence, ByteView data) {
    // What is cut off here or was before never comes: later segments leave a gap there.
    data = data.first(std::min(data.size(), max_buffer));
    if (data.empty()) return true;
    if (!append(sequence, data)) return false;
    return take_waiting();
}

bool StreamBytes::append(std::uint32_t sequence, ByteView data) {
    // RFC 9293 section 3.4: sequence numbers are compared modulo 2^32.
    const auto ahead = static_cast<std::int32_t>(sequence - next_);
    if (ahead > 0) {
        const bool near = static_cast<std::size_t>(ahead) + data.size() <= max_buffer;
        if (!near || waiting_.size() == max_waiting) return false;
        waiting_.push_back({sequence, Bytes(data.begin(), data.end())});
        return true;
    }
    const auto known = static_cast<std::size_t>(-static_cast<std::int64_t>(ahead));
    if (known >= data.size()) return true;  // all of it was there before
    const ByteView fresh = data.subspan(known);
    if (bytes_.size() - begin_ + fresh.size() > max_buffer) return false;
    bytes_.insert(bytes_.end(), fresh.begin(), fresh.end());
    next_ += static_cast<std::uint32_t>(fresh.size());
    return true;
}

bool StreamBytes::take_waiting() {
    for (std::size_t i = 0; i < waiting_.size();) {
        if (static_cast<std::int32_t>(waiting_[i].sequence - next_) > 0) {
            ++i;
            continue;
        }
        const Waiting one = std::move(waiting_[i]);
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
        if (!append(one.sequence, one.data)) return false;
        i = 0;
    }
    return true;
}

void StreamBytes::consume(std::size_t size) {
    begin_ += std::min(size, bytes_.size() - begin_);
    if (begin_ == bytes_.size()) {
        bytes_.clear();
        begin_ = 0;
    } else if (begin_ > max_buffer / 2) {
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
        begin_ = 0;
    }
}

std::size_t StreamBytes::memory() const {
    std::size_t sum = bytes_.capacity();
    for (const Waiting& one : waiting_) sum += one.data.capacity();
    return sum;
}

StreamContent StreamParser::give_up() {
    alive_ = false;
    return {};
}

void StreamParser::recognise() {
    const ByteView start = bytes_.data();
    if (http::looks_like_http(start)) {
        protocol_ = Protocol::http;
    } else if (tls::parse_record_header(start)) {
        protocol_ = Protocol::tls;
    } else if (envelope::looks_like_ours(start)) {
        protocol_ = Protocol::peer;
    } else if (start.size() >= stun::header_size) {
        // Without the cookie there is nothing to tell it by (RFC 8489 section 6.2.2).
        ByteReader reader(start);
        reader.u32();
        const bool cookie = reader.u32() == stun::magic_cookie;
        if (!cookie || !stun::size_on_stream(start)) return void(give_up());
        protocol_ = Protocol::stun;
    }
}

bool StreamParser::skip() {
    const auto some =
        static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes_.data().size()));
    bytes_.consume(some);
    skip_ -= some;
    return skip_ == 0 && !bytes_.data().empty();
}

StreamContent StreamParser::next() {
    if (!alive_ || !skip()) return {};
    if (protocol_ == Protocol::unknown) recognise();
    switch (protocol_) {
        case Protocol::stun: return next_stun();
        case Protocol::peer: return next_peer();
        case Protocol::http: return next_http();
        case Protocol::tls: return next_tls();
        case Protocol::unknown: break;
    }
    return {};
}

StreamContent StreamParser::next_stun() {
    // RFC 8656 section 12.5: over TCP a ChannelData message is padded to four bytes. Its length is
    // told by its header; the data is nobody's business here.
    while (bytes_.data().size() >= 4 && bytes_.data()[0] >= 0x40 && bytes_.data()[0] <= 0x7F) {
        const ByteView head = bytes_.data();
        const std::size_t length = static_cast<std::size_t>(head[2]) << 8 | head[3];
        skip_ = 4 + ((length + 3) & ~std::size_t{3});
        if (!skip()) return {};
    }
    const ByteView start = bytes_.data();
    if (start.size() < stun::header_size) return {};
    const auto size = stun::size_on_stream(start);
    if (!size || *size > StreamBytes::max_buffer) return give_up();
    if (start.size() < *size) return {};
    auto content = decode_stun(start.first(*size), false, true);
    bytes_.consume(*size);
    if (!content) return give_up();
    return std::move(*content);
}

StreamContent StreamParser::next_peer() {
    const ByteView start = bytes_.data();
    if (start.size() < envelope::size) return {};
    const auto head = envelope::parse(start);
    // The handshake is over with the first data.
    if (!head || head->kind == envelope::Kind::data) return give_up();
    const std::size_t size = envelope::size + head->length;
    if (size > StreamBytes::max_buffer) return give_up();
    if (start.size() < size) return {};
    const auto content = decode_peer(start.first(size), false);
    bytes_.consume(size);
    if (!content) return give_up();
    // What another version sends behind it nobody knows.
    alive_ = head->version == envelope::version;
    return *content;
}

StreamContent StreamParser::next_http() {
    auto head = http::parse_head(bytes_.data());
    if (!head) {
        if (head.error() == http::ParseError::incomplete) return {};
        return give_up();
    }
    const std::uint64_t length = head->content_length().value_or(0);
    // RFC 9110 section 15.2: an informational response is followed by another head.
    const bool interim = head->response && head->status < 200;
    // Without a length it ends with the connection, or comes in chunks: nothing follows it that
    // could be found.
    const bool open_end = head->response && !interim && !head->content_length();
    const std::string_view type = head->find("Content-Type");
    // Some routers leave the type out. UDA 1.1 section 3.2.5: a fault comes with 500.
    const bool untyped =
        type.empty() && (head->response ? head->status == 500 : !head->find("SOAPAction").empty());
    const bool soap = untyped || type.find("xml") != std::string_view::npos;
    const bool keep = soap && length > 0 && head->size + length <= StreamBytes::max_buffer;
    HttpContent content;
    if (keep) {
        const ByteView whole = bytes_.data();
        if (whole.size() < head->size + length) return {};
        content.body = as_text(whole.subspan(head->size, static_cast<std::size_t>(length)));
    }
    bytes_.consume(head->size);
    skip_ = length;
    content.head = std::move(*head);
    // After an upgrade it is no HTTP any more.
    if (open_end || (content.head.is_websocket_upgrade() && content.head.response)) alive_ = false;
    return content;
}

StreamContent StreamParser::next_tls() {
    while (true) {
        const auto header = tls::parse_record_header(bytes_.data());
        if (!header)
            return bytes_.data().size() < tls::record_header_size ? StreamContent() : give_up();
        const std::size_t size = tls::record_header_size + header->length;
        if (bytes_.data().size() < size) {
            // Encrypted from here on.
            if (header->type == tls::ContentType::application_data) return give_up();
            return {};
        }
        const ByteView content = bytes_.data().subspan(tls::record_header_size, header->length);
        if (header->type == tls::ContentType::alert) {
            const auto alert = tls::parse_alert(content);
            bytes_.consume(size);
            alive_ = false;
            if (!alert) return {};
            return TlsAlert{*alert};
        }
        if (header->type != tls::ContentType::handshake) return give_up();
        // RFC 8446 section 5.1: a message may be spread over several records.
        handshake_.insert(handshake_.end(), content.begin(), content.end());
        bytes_.consume(size);
        if (handshake_.size() > StreamBytes::max_buffer) return give_up();
        const auto message = tls::parse_handshake_header(handshake_);
        if (!message || handshake_.size() < tls::handshake_header_size + message->length) continue;
        const ByteView body =
            ByteView(handshake_).subspan(tls::handshake_header_size, message->length);
        if (message->type == tls::HandshakeType::client_hello) {
            auto hello = tls::parse_client_hello(body);
            handshake_.clear();
            if (!hello) return give_up();
            return std::move(*hello);
        }
        if (message->type == tls::HandshakeType::server_hello) {
            auto hello = tls::parse_server_hello(body);
            handshake_.clear();
            if (!hello) return give_up();
            return std::move(*hello);
        }
        return give_up();  // what follows the hellos is of no interest
    }
}

}  // namespace p2pdiag::capture
