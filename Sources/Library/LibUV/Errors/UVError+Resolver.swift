internal import CLibUV

// The resolver's own codes, which are no error numbers of the system.
extension UVError.Code {
    /// `UV_EAI_NONAME`: no such node or service.
    public static var nameNotFound: UVError.Code { UVError.Code(UV_EAI_NONAME) }
    /// `UV_EAI_FAIL`: the resolver gave up for good.
    public static var nameResolutionFailed: UVError.Code { UVError.Code(UV_EAI_FAIL) }
    /// `UV_EAI_ADDRFAMILY`: the node has no address of the version asked for.
    public static var noAddressOfFamily: UVError.Code { UVError.Code(UV_EAI_ADDRFAMILY) }
    /// `UV_EAI_SERVICE`: the service is not known for the kind of socket.
    public static var serviceNotFound: UVError.Code { UVError.Code(UV_EAI_SERVICE) }
    /// `UV_EAI_AGAIN`: the resolver could not be reached; it may be later.
    public static var temporaryNameFailure: UVError.Code { UVError.Code(UV_EAI_AGAIN) }
}
