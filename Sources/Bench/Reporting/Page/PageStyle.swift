/// The page's style sheet, `page.css`.
///
/// Its colours (Okabe and Ito) can be distinguished by colour-blind people.
enum PageStyle {
    static let sheet = String(decoding: PackageResources.page_css, as: UTF8.self) + switches

    /// Rules that hide a series if its check box in the same figure is not checked.
    private static let switches = (0..<5).map { index in
        "figure:has(.show-s\(index):not(:checked)) .of-s\(index){display:none}"
    }.joined()
}

/// The page's script, `page.js`.
///
/// The script shows tooltips immediately. Without the script, browsers show the tooltips after a second.
enum PageScript {
    static let source = String(decoding: PackageResources.page_js, as: UTF8.self)
}
