/// The page's style sheet, with colours for light and dark that colour-blind people can distinguish (Okabe and Ito).
enum PageStyle {
    static let sheet = colours + layout + verdicts + figures + shapes + switches

    private static let colours = """
        :root{color-scheme:light dark;--paper:#fcfcfa;--ink:#1d2126;--soft:#5b6470;--faint:#e6e7e4;--ground:#f2f3ef;
        --margin:#e9ecdf;--c0:#0072b2;--c1:#c8500a;--c2:#008a66;--c3:#a8498a;--c4:#8a6d00;--good:#00775a;--bad:#b8400a;
        --same:#44505e;--open:#7d6300;--heat:0,98,160;--tip:#1d2126;--tipink:#fcfcfa}
        @media(prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e8eaec;--soft:#9aa4af;--faint:#2a2f35;
        --ground:#1b1f24;--margin:#262c22;--c0:#5ab4f0;--c1:#f5894a;--c2:#3ecfa4;--c3:#e08cc4;--c4:#e6c34a;--good:#4fd8ae;
        --bad:#ff9763;--same:#b4bfcb;--open:#ecca5a;--heat:110,190,250;--tip:#e8eaec;--tipink:#14171a}}
        .s0{--c:var(--c0)}.s1{--c:var(--c1)}.s2{--c:var(--c2)}.s3{--c:var(--c3)}.s4{--c:var(--c4)}
        """

    private static let layout = """
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);
        font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;
        font-variant-numeric:tabular-nums}
        main{max-width:968px;margin:0 auto;padding:40px 24px 64px}
        h1{font-size:clamp(28px,5vw,44px);line-height:1.1;letter-spacing:-.02em;margin:0 0 8px;font-weight:680}
        h2{font-size:22px;line-height:1.25;letter-spacing:-.01em;margin:0 0 6px;font-weight:640}
        h3{font-size:17px;margin:32px 0 8px}
        section{margin-top:64px}#verdict{margin-top:28px}
        .lead{color:var(--soft);margin:0 0 20px;max-width:68ch}
        footer{margin-top:64px;color:var(--soft);font-size:14px;border-top:1px solid var(--faint)}
        .notice{background:var(--open);color:var(--paper);padding:8px 14px;border-radius:8px;font-weight:600;
        margin:0 0 24px}
        .warning{border-left:4px solid var(--bad);padding:2px 0 2px 14px;margin:0 0 20px}.warning p{margin:4px 0}
        a{color:inherit}
        """

    private static let verdicts = """
        .card{background:var(--ground);border-radius:14px;padding:22px 26px 18px;margin:0 0 16px;
        border-left:6px solid var(--v)}
        .faster{--v:var(--good)}.slower{--v:var(--bad)}.equivalent{--v:var(--same)}.undecided{--v:var(--open)}
        .headline{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 16px}
        .chip{background:var(--v);color:var(--paper);font-weight:650;font-size:15px;padding:3px 12px;border-radius:99px}
        .big{font-size:40px;font-weight:700;letter-spacing:-.02em;line-height:1.15}
        .what{color:var(--soft)}
        .sentence{font-family:ui-monospace,"SF Mono",Menlo,Consolas,monospace;font-size:13.5px;line-height:1.6;
        margin:12px 0;overflow-wrap:anywhere;user-select:all}
        .sentence .chip{font-family:system-ui,sans-serif;font-size:13px;user-select:none;padding:1px 9px}
        .facts{display:grid;grid-template-columns:minmax(120px,max-content) 1fr;gap:3px 20px;margin:0;font-size:14.5px}
        .facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
        .reasons{margin:12px 0 0;padding-left:20px;color:var(--soft);font-size:14.5px}
        .command{background:var(--ground);padding:14px 18px;border-radius:10px;white-space:pre-wrap;
        overflow-wrap:anywhere;font-size:14px;margin:0 0 20px}
        """

    private static let figures = """
        figure{margin:0}figure svg{display:block;width:100%;height:auto;overflow:visible}
        .narrow{display:none;max-width:520px}@media(max-width:800px){.wide{display:none}.narrow{display:block}}
        @media(max-width:620px){main{padding:24px 16px}
        section{margin-top:48px}.card{padding:16px}.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:8px}}
        .legend{display:flex;flex-wrap:wrap;gap:6px 10px;margin:0 0 12px;font-size:14.5px}
        .entry{display:inline-flex;align-items:center;gap:7px;padding:3px 12px 3px 8px;border:1px solid var(--faint);
        border-radius:99px;cursor:pointer}
        .entry svg{width:26px;height:14px}.entry small{color:var(--soft)}
        .entry input{width:15px;height:15px;margin:0;accent-color:var(--soft)}
        .entry:has(:focus-visible){outline:2px solid var(--ink);outline-offset:2px}
        .entry:has(input:not(:checked)){opacity:.5}
        details{margin-top:12px;font-size:14px}summary{cursor:pointer;color:var(--soft);width:max-content;max-width:100%}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;margin-top:8px;min-width:60%}
        th,td{text-align:right;padding:4px 12px;border-bottom:1px solid var(--faint);white-space:nowrap;font-weight:400}
        thead th{color:var(--soft)}th:first-child{text-align:left;padding-left:0}
        #tip{position:fixed;left:0;top:0;background:var(--tip);color:var(--tipink);padding:7px 12px;border-radius:8px;
        font-size:13.5px;line-height:1.5;white-space:pre-line;pointer-events:none;opacity:0;max-width:min(340px,90vw);
        z-index:9}#tip.on{opacity:1}
        """

    private static let shapes = """
        svg text{font:12.5px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--soft)}
        svg .label{font-size:13px;fill:var(--ink)}svg .strong{font-weight:680}svg .axis{fill:var(--soft)}
        .grid{stroke:var(--faint);stroke-width:1}.unity{stroke:var(--soft);stroke-width:1.2}
        .margin{fill:var(--margin)}.ground{fill:var(--ground)}
        .restart{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 4}
        .line{fill:none;stroke:var(--c);stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
        .s1.line{stroke-dasharray:none}.line.dashed{stroke-dasharray:2 5;stroke-width:1.9}
        .line.thin{stroke-width:1.2;stroke-dasharray:6 4}
        .line.floor{stroke:var(--soft);stroke-width:1.6;stroke-dasharray:8 4}
        .mark{fill:var(--c);stroke:var(--paper);stroke-width:1.2}.mark.itself{fill:var(--soft)}
        .mark.hollow{fill:var(--paper);stroke:var(--c);stroke-width:1.6}
        .whisker{stroke:var(--c);stroke-width:2.4;stroke-linecap:round}.whisker.itself{stroke:var(--soft)}
        .band{fill:var(--c);opacity:.16}.band.faint{opacity:.07}.bar{fill:var(--c)}
        .mark[data-tip]:hover{stroke:var(--ink);stroke-width:2}.hit{fill:transparent}[data-tip]:hover>.hit,.hit[data-tip]:hover{fill:rgba(128,138,150,.16)}
        .heat{fill:none;stroke:rgb(var(--heat))}.h0{opacity:.14}.h1{opacity:.26}.h2{opacity:.38}.h3{opacity:.51}.h4{opacity:.65}
        .h5{opacity:.81}.h6{opacity:1}
        .track{stroke:none}.track.steal{fill:var(--c1)}.track.hiccup{fill:var(--c4)}
        .waits{fill:url(#waiting);stroke:var(--soft);stroke-width:.7;opacity:.75}.narrow .waits{fill:url(#waiting-narrow)}.hatch{stroke:var(--soft);stroke-width:1.1}
        .serves{fill:var(--c)}.fails{fill:none;stroke:var(--bad);stroke-width:1.6;stroke-dasharray:4 3}
        @media print{.legend input{display:none}}
        """

    /// An unchecked box hides its series in the same figure.
    private static let switches = (0..<5).map { index in
        "figure:has(.show-s\(index):not(:checked)) .of-s\(index){display:none}"
    }.joined()
}
