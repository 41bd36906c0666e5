import HTTPMessage
import Testing

@Suite("URLs of servers")
struct HTTPURLTests {
    /// URLs, and how they are read: scheme, host, port and path.
    static let read: [(text: String, form: String, parts: [String])] = [
        ("http://localhost", "http://localhost", ["http", "localhost", "80", ""]),
        ("https://h", "https://h", ["https", "h", "443", ""]),
        (
            "HTTP://Mock.Example:08080/", "http://mock.example:8080",
            ["http", "mock.example", "8080", ""]
        ),
        ("https://mock.example:/", "https://mock.example", ["https", "mock.example", "443", ""]),
        ("https://h/Qubs/v1///", "https://h/Qubs/v1", ["https", "h", "443", "/Qubs/v1"]),
        (
            "https://h/a%2Fb;c=1,2:3@4~!$&'()*+", "https://h/a%2Fb;c=1,2:3@4~!$&'()*+",
            ["https", "h", "443", "/a%2Fb;c=1,2:3@4~!$&'()*+"]
        ),
        ("http://[::1]:1/x", "http://[::1]:1/x", ["http", "::1", "1", "/x"]),
        ("http://[2001:DB8::7]", "http://[2001:db8::7]", ["http", "2001:db8::7", "80", ""]),
        (
            "http://[1:2:3:4:5:6:7:8]", "http://[1:2:3:4:5:6:7:8]",
            ["http", "1:2:3:4:5:6:7:8", "80", ""]
        ),
        (
            "http://[::ffff:127.0.0.1]:65535", "http://[::ffff:127.0.0.1]:65535",
            ["http", "::ffff:127.0.0.1", "65535", ""]
        ),
        (
            "http://[1:2:3:4:5:6:7.8.9.10]", "http://[1:2:3:4:5:6:7.8.9.10]",
            ["http", "1:2:3:4:5:6:7.8.9.10", "80", ""]
        ),
        (
            "http://my_host-1.local.", "http://my_host-1.local.",
            ["http", "my_host-1.local.", "80", ""]
        ),
    ]

    @Test("A URL is read into scheme, authority and path", arguments: read)
    func reads(text: String, form: String, parts: [String]) throws {
        let url = try HTTPURL(text)
        #expect([url.scheme.rawValue, url.authority.host, String(url.port), url.path] == parts)
        #expect(url.text == form)
        // What was read is a URL that is read alike.
        #expect(try HTTPURL(url.text) == url)
    }

    /// Texts that are no URL of a server, and why.
    static let refused: [(flaw: HTTPURL.Flaw, texts: [String])] = [
        (
            .scheme,
            [
                "", "mock", "mock:80", "//mock", "ftp://h", "http:/h", "http", " http://h",
                "httpx://h",
            ]
        ),
        (.userinfo, ["http://u@h", "http://u:p@h:1", "http://@h", "http://[::1]@h"]),
        (
            .host,
            [
                "http://", "http:///x", "http://:80", "http://::1", "http://%6dock", "http://h%",
                "http://[]",
                "http://[::1", "http://[zz]", "http://[::1]x", "http://[1:2]", "http://[::1::]",
                "http://[:::]", "http://[1:2:3:4:5:6:7:8:9]", "http://[1:2:3:4:5:6:7::8]",
                "http://[12345::]", "http://[::1.2.3]", "http://[::1.2.3.256]",
                "http://[1.2.3.4::]",
                "http://[fe80::1%25eth0]", "http://[v1.x]", "http://a[::1]", "http://[::1][::1]",
            ]
        ),
        (
            .port,
            [
                "http://h:0", "http://h:65536", "http://h:99999999999999999999", "http://h:x",
                "http://h:-1", "http://h:+1", "http://h:1:2", "http://[::1]:x",
            ]
        ),
        (.path, ["http://h/%", "http://h/%2", "http://h/%zz/"]),
        (.query, ["http://h?", "http://h/?x=1", "http://h:1?x#y"]),
        (.fragment, ["http://h#", "http://h/#x?y"]),
        (
            .character,
            [
                "http://h ", "http://h/ x", "http://h\t", "http://h/\r\nX: y", "http://h\u{0}",
                "http://h/\"", "http://h/<x>", "http://h\\x", "http://h/{id}",
                "http://münchen.example",
                "http://h/[x]", "http://h/|", "http://h/^", "http://h/`", "http://h/\u{7F}",
            ]
        ),
    ]

    @Test("What is no URL of a server is refused for its first flaw", arguments: refused)
    func refuses(flaw: HTTPURL.Flaw, texts: [String]) {
        for text in texts {
            #expect(throws: flaw, "\(text)") { try HTTPURL(text) }
        }
    }

    @Test("An authority has a host and perhaps a port")
    func authorities() {
        #expect(Authority("Mock:80") == Authority(host: "mock", port: 80))
        #expect(Authority("[::1]:") == Authority(host: "[::1]", port: nil))
        #expect(Authority("[::1]:1")?.text == "[::1]:1")
        for text in ["", ":1", "u@h", "h/x", "h:1x", "[::1", "h h", "h:65536"] {
            #expect(Authority(text) == nil, "\(text)")
        }
        for (text, host) in [("h:1", "h"), ("[::1]:1", "[::1]"), ("h", "h"), ("[::1]", "[::1]")] {
            #expect(Authority.host(of: Array(text.utf8)[...]).elementsEqual(host.utf8))
        }
    }
}
