internal import CLibUV

// The error codes of the resolver, which are not error numbers of the system.
extension UVError.Code {
    /// `UV_EAI_NONAME`: no such node or service.
    public static var nameNotFound: UVError.Code { UVError.Code(UV_EAI_NONAME) }
    /// `UV_EAI_FAIL`: the resolver has failed permanently.
    public static var nameResolutionFailed: UVError.Code { UVError.Code(UV_EAI_FAIL) }
    /// `UV_EAI_ADDRFAMILY`: the node has no address of the requested family.
    public static var noAddressOfFamily: UVError.Code { UVError.Code(UV_EAI_ADDRFAMILY) }
    /// `UV_EAI_SERVICE`: the service is unknown for this kind of socket.
    public static var serviceNotFound: UVError.Code { UVError.Code(UV_EAI_SERVICE) }
    /// `UV_EAI_AGAIN`: the resolver is temporarily unreachable.
    public static var temporaryNameFailure: UVError.Code { UVError.Code(UV_EAI_AGAIN) }
}
