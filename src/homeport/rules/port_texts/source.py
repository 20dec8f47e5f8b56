"""Programs: calls that listen, and names that hold a port."""

from __future__ import annotations

from homeport.rules.port_texts.kind import NUMBER, Kind

KIND = Kind(
    name="source",
    files=(
        "*.js", "*.cjs", "*.mjs", "*.jsx", "*.ts", "*.cts", "*.mts", "*.tsx", "*.vue", "*.svelte", "*.py", "*.rb",
        "*.ru", "*.go", "*.rs", "*.java", "*.kt", "*.kts", "*.scala", "*.groovy", "*.gradle", "*.php", "*.pl",
        "*.ex", "*.exs", "*.erl", "*.lua", "*.cs", "*.fs", "*.swift", "*.dart", "*.c", "*.cc", "*.cpp", "*.h",
        "*.clj", "*.hs", "*.ml", "*.zig", "www",
    ),
    explicit=(
        rf"\b(?:(?:listen|bind|serve)\w*|htons|run(?:_?app|_?server|_simple)?)\s*\([^)\n]{{0,80}}?{NUMBER}",
        rf"\bbind\s*\(\s*\([^,)\n]{{0,60}},\s*{NUMBER}",
        rf"\b\w{{0,40}}port\w{{0,40}}[\"']?\s*\)?\s*(?::\s*\w+\s*)?(?::=|[:=,]|=>|\|\||\?\?|\bor\b)\s*[\"']?{NUMBER}",
        rf"\bPORT\b[^\n]{{0,40}}?(?:\|\||\?\?|,|\bor\b|\{{)\s*[\"']?{NUMBER}",
        rf"^(?:#define\s+\w{{0,40}})?port\s+{NUMBER}\s*$",
        rf"\b(?:HTTPServer|TCPServer|UDPServer|create_server|Server)\s*\(\s*\([^)\n]*?{NUMBER}",
        rf"[\"'](?:[\w.\-]*|\[[^\]]*\]):{NUMBER}[\"'/]",
    ),
    comments=("#", "//", "*", "/*", "--", ";;"),
    blocks=(("/*", "*/"), ("<!--", "-->"), ("=begin", "=end")),
)  # fmt: skip
