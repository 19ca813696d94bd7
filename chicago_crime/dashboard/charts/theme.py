"""The colours of charts by role, in light and in dark; those of the page around them are in `static/style.css`.

One accent colour, one ramp of it for how much, and blue to orange for less and more: all of them tell apart without
red and green.
"""

from typing import Any

LIGHT = {
    "text": "#1b2027",
    "muted": "#59636e",
    "grid": "#e3e7ec",
    "accent": "#1f5fbf",
    "before": "#9aa4b0",
    "ramp": ["#e9f0fa", "#b9d0f0", "#7fa9e2", "#4680cf", "#1f5fbf", "#123f86"],
    "diverging": ["#1f5fbf", "#a9c5ea", "#e6e8eb", "#f2b37a", "#b85400"],
    "border": "#ffffff",
    "outline": "#59636e",
}
DARK = {
    "text": "#e8ebef",
    "muted": "#a5afba",
    "grid": "#2d353f",
    "accent": "#6ea8fe",
    "before": "#6b7683",
    "ramp": ["#1d2a3d", "#264a7c", "#3169b3", "#4f8bdf", "#86b6fb", "#d3e5ff"],
    "diverging": ["#6ea8fe", "#2f4f7d", "#2d353f", "#96571d", "#ffa552"],
    "border": "#171c22",
    "outline": "#a5afba",
}


def theme(is_dark: bool) -> dict[str, Any]:
    """The Vega-Lite configuration that gives every chart its colours and type."""
    colour = DARK if is_dark else LIGHT
    border = {"stroke": colour["border"], "strokeWidth": 0.8}
    text = {"labelColor": colour["muted"], "titleColor": colour["muted"], "labelFontSize": 12, "titleFontSize": 12}
    return {
        "background": "transparent",
        "font": "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif",
        "view": {"stroke": None},
        "axis": {**text, "gridColor": colour["grid"], "domainColor": colour["grid"], "tickColor": colour["grid"]}
        | {"titleFontWeight": "normal", "labelLimit": 190},
        "legend": {**text, "titleFontWeight": "normal", "gradientLength": 160, "orient": "bottom"},
        "mark": {"color": colour["accent"]},
        "style": {
            "before": {"color": colour["before"], "stroke": colour["before"]},
            "outline": {"color": colour["outline"], "stroke": colour["outline"], "strokeWidth": 0.6},
            "unchosen": {"color": colour["grid"], "fill": colour["grid"], **border},
            "area": border,
        },
        "range": {
            "ramp": colour["ramp"],
            "heatmap": colour["ramp"],
            "diverging": colour["diverging"],
            "category": [colour["diverging"][4], colour["diverging"][0]],
        },
    }
