"""Theme and JavaScript of the charts; the JavaScript comes from the package vl-convert.

The colors of the page are in `static/style.css`. One accent color, a ramp of it for amounts, and orange for increases:
all are distinguishable with color blindness.
"""

import subprocess
import sys
from functools import cache
from typing import Any

LIGHT = {
    "text": "#1b2027",
    "muted": "#59636e",
    "grid": "#e3e7ec",
    "accent": "#1f5fbf",
    "before": "#9aa4b0",
    "ramp": ["#e9f0fa", "#b9d0f0", "#7fa9e2", "#4680cf", "#1f5fbf", "#123f86"],
    "rose": "#b85400",
}
DARK = {
    "text": "#e8ebef",
    "muted": "#a5afba",
    "grid": "#2d353f",
    "accent": "#6ea8fe",
    "before": "#6b7683",
    "ramp": ["#1d2a3d", "#264a7c", "#3169b3", "#4f8bdf", "#86b6fb", "#d3e5ff"],
    "rose": "#ffa552",
}


def theme(is_dark: bool) -> dict[str, Any]:
    """Build the Vega-Lite configuration: colors and fonts of all charts."""
    color = DARK if is_dark else LIGHT
    text = {"labelColor": color["muted"], "titleColor": color["muted"], "labelFontSize": 13, "titleFontSize": 13}
    return {
        "background": "transparent",
        "font": "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif",
        "view": {"stroke": None},
        "axis": {**text, "gridColor": color["grid"], "domainColor": color["grid"], "tickColor": color["grid"]}
        | {"titleFontWeight": "normal", "labelLimit": 190},
        "title": {"anchor": "start", "color": color["text"], "subtitleColor": color["muted"], "offset": 15},
        "legend": {**text, "titleFontWeight": "normal", "gradientLength": 160, "orient": "bottom"},
        "mark": {"color": color["accent"]},
        "style": {"before": {"color": color["before"], "stroke": color["before"]}},
        "range": {"ramp": color["ramp"], "heatmap": color["ramp"], "category": [color["rose"], color["accent"]]},
    }


@cache
def bundle() -> bytes:
    """Bundle Vega, Vega-Lite and vega-embed, in a subprocess that frees its 140 MB."""
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "  # without Python's traceback
        "import vl_convert; sys.stdout.buffer.write(vl_convert.javascript_bundle().encode())"
    )
    return subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True).stdout
