internal import CLibUV
public import SocketAddresses

extension UVLoop {
    /// Resolves a name to addresses, on a thread of libuv's pool (`uv_getaddrinfo`).
    ///
    /// - Parameters:
    ///   - node: a host's name or address; `nil` for this machine.
    ///   - service: a service's name or a port in digits; `nil` gives addresses with port 0.
    ///   - family: the only version of the Internet protocol to ask for; `nil` asks for both.
    ///   - socketType: the kind of socket that the addresses are for; `nil` for any.
    ///   - options: how to resolve.
    ///   - completion: called once on the loop's thread: with at least one address, or with the resolver's error, as
    ///     `nameNotFound` or `temporaryNameFailure`, or `cancelled`.
    /// - Returns: the request, to cancel it.
    /// - Throws: `invalidArgument` where neither node nor service is given, or either contains a zero or is no name, as one of more than 255 characters;
    ///   `cancelled` on a loop that is closing or closed; `completion` is not called then.
    @discardableResult
    public func resolve(
        _ node: String?, service: String? = nil, family: SocketAddress.Family? = nil,
        socketType: UVResolution.SocketType? = .stream, options: UVResolution.Options = [],
        completion: @escaping (Result<UVResolution, UVError>) -> Void
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
            // The list is the caller's on every path; libuv takes nil, which a failure leaves.
            defer { unsafe uv_freeaddrinfo(list) }
            completion(
                status < 0
                    ? .failure(UVLoop.resolverError(status, "uv_getaddrinfo"))
                    : .success(unsafe UVResolution(list)))
        }
    }

    /// Finds the names of an address and its port, on a thread of libuv's pool (`uv_getnameinfo`).
    ///
    /// - Parameters:
    ///   - address: the address to name.
    ///   - options: how to name it.
    ///   - completion: called once on the loop's thread: with the names, with the resolver's error, or with
    ///     `cancelled`.
    /// - Returns: the request, to cancel it.
    /// - Throws: `invalidArgument` for an address with an unknown zone, `cancelled` on a loop that is closing or
    ///   closed; `completion` is not called then.
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

    /// A resolver's failure; its own code for a cancelled request becomes the one that all requests share.
    private static func resolverError(_ status: Int32, _ operation: String) -> UVError {
        UVError(code: status == UV_EAI_CANCELED.rawValue ? UV_ECANCELED.rawValue : status, operation: operation)
    }
}

extension UVResolution {
    /// What a list of the system's says.
    init(_ list: UnsafeMutablePointer<addrinfo>?) {
        var addresses: [SocketAddress] = []
        var canonicalName: String?
        var next = unsafe list
        while let entry = unsafe next {
            // Without a socket type the system lists an address once for each.
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
