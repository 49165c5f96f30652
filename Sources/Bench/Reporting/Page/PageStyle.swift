/// The page's style sheet, `page.css`, with colours that colour-blind people can distinguish (Okabe and Ito).
enum PageStyle {
    static let sheet = String(decoding: PackageResources.page_css, as: UTF8.self) + switches

    /// An unchecked box hides its series in the same figure.
    private static let switches = (0..<5).map { index in
        "figure:has(.show-s\(index):not(:checked)) .of-s\(index){display:none}"
    }.joined()
}

/// The page's script, `page.js`, which shows tooltips without the usual delay of a second.
enum PageScript {
    static let source = String(decoding: PackageResources.page_js, as: UTF8.self)
}
