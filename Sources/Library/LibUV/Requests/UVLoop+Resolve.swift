internal import CLibUV
public import SocketAddresses

extension UVLoop {
    /// Resolves a name to addresses, on a thread of libuv's pool (`uv_getaddrinfo`).
    ///
    /// - Parameters:
    ///   - node: the name or the address of a host, or `nil` for this machine.
    ///   - service: the name of a service, or a port as digits. With `nil`, the addresses have port 0.
    ///   - family: the address family to request, or `nil` for both families.
    ///   - socketType: the type of socket for which to get addresses, or `nil` for any type.
    ///   - options: the options for resolving.
    ///   - completion: called once on the loop's thread, with at least one address, with a resolver error (for example
    ///     `nameNotFound` or `temporaryNameFailure`), or with `cancelled`.
    /// - Returns: the request, which the program can cancel.
    /// - Throws: `invalidArgument` if both `node` and `service` are `nil`, or if one of them contains a zero byte or is
    ///   not a valid name, for example because it has more than 255 characters; `cancelled` if the loop is closing or
    ///   closed. If the call throws, `completion` is not called.
    @discardableResult
    public func resolve(
        _ node: String?, service: String? = nil, family: SocketAddress.Family? = nil,
        socketType: UVAddressInfo.SocketType? = .stream, options: UVAddressInfo.Options = [],
        completion: @escaping (Result<UVAddressInfo, UVError>) -> Void
    ) throws(UVError) -> UVRequest {
        try CStrings.check([node, service].compactMap { $0 }, "uv_getaddrinfo")
        if let node { try NodeName.check(node, "uv_getaddrinfo") }
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = family.map { $0 == .ipv4 ? AF_INET : AF_INET6 } ?? AF_UNSPEC
        unsafe hints.ai_socktype = socketType?.rawValue ?? 0
        unsafe hints.ai_flags = options.rawValue
        return try unsafe UVRequest.submit(uv_getaddrinfo_t.self, on: self, "uv_getaddrinfo") { loop, raw in
            unsafe CStrings.with(node, service) { node, service in
                unsafe uv_getaddrinfo(loop, raw, Trampolines.onResolved, node, service, &hints)
            }
        } completion: { request, status in
            let list = unsafe request.cast(to: uv_getaddrinfo_t.self).pointee.addrinfo
            // The list must be freed in every case. After a failure it is nil, which libuv accepts.
            defer { unsafe uv_freeaddrinfo(list) }
            completion(
                status < 0
                    ? .failure(UVLoop.resolverError(status, "uv_getaddrinfo").with(detail: node))
                    : .success(unsafe UVAddressInfo(list)))
        }
    }

    /// Resolves an address and its port to names, on a thread of libuv's pool (`uv_getnameinfo`).
    ///
    /// - Parameters:
    ///   - address: the address to resolve.
    ///   - options: the options for resolving.
    ///   - completion: called once on the loop's thread, with the names, a resolver error, or `cancelled`.
    /// - Returns: the request, which the program can cancel.
    /// - Throws: `invalidArgument` if the zone of the address is unknown; `cancelled` if the loop is closing or closed.
    ///   If the call throws, `completion` is not called.
    @discardableResult
    public func resolveName(
        of address: SocketAddress, options: UVHostName.Options = [],
        completion: @escaping (Result<UVHostName, UVError>) -> Void
    ) throws(UVError) -> UVRequest {
        let start = { (system: UnsafePointer<sockaddr>) throws(UVError) -> UVRequest in
            try unsafe UVRequest.submit(uv_getnameinfo_t.self, on: self, "uv_getnameinfo") { loop, raw in
                unsafe uv_getnameinfo(loop, raw, Trampolines.onNamed, system, options.rawValue)
            } completion: { request, status in
                let named = unsafe request.cast(to: uv_getnameinfo_t.self)
                completion(
                    status < 0
                        ? .failure(UVLoop.resolverError(status, "uv_getnameinfo"))
                        : .success(
                            unsafe UVHostName(
                                host: SystemText.text(of: &named.pointee.host),
                                service: SystemText.text(of: &named.pointee.service))))
            }
        }
        let result = try unsafe SystemAddress.with(address, "uv_getnameinfo") { system in
            Result { () throws(UVError) in try unsafe start(system) }
        }
        return try result.get()
    }

    /// Makes a resolver error.
    ///
    /// The resolver's code for a cancelled request is replaced with `cancelled`, the code for cancelled requests of all
    /// types.
    private static func resolverError(_ status: Int32, _ operation: String) -> UVError {
        UVError(code: status == UV_EAI_CANCELED.rawValue ? UV_ECANCELED.rawValue : status, operation: operation)
    }
}

extension UVAddressInfo {
    /// Converts the system's list of addresses.
    init(_ list: UnsafeMutablePointer<addrinfo>?) {
        var addresses: [SocketAddress] = []
        var canonicalName: String?
        var next = unsafe list
        while let entry = unsafe next {
            // Without a socket type, the system lists each address once per type.
            if let system = unsafe entry.pointee.ai_addr, let address = unsafe SocketAddress(system),
                !addresses.contains(address)
            {
                addresses.append(address)
            }
            if let name = unsafe entry.pointee.ai_canonname { canonicalName = unsafe String(cString: name) }
            unsafe next = entry.pointee.ai_next
        }
        self.init(addresses: addresses, canonicalName: canonicalName)
    }
}
