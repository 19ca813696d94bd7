"""The dashboard's page Overview in Streamlit, to be measured beside it: the same answers, charts and tables.

Here belongs only how Streamlit shows them. `benchmarks/beside_streamlit.py` starts it, where Streamlit is installed.
"""

import sys
from pathlib import Path

import pandas as pd
import streamlit as st

from chicago_crime.dashboard.filters import CLASSES, Filters
from chicago_crime.dashboard.page import Asked, NothingMatchesError
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.serve import build_dashboard
from chicago_crime.dashboard.view import Figure, Shown, View
from chicago_crime.settings import load_settings


@st.cache_resource
def _data():
    return build_dashboard(load_settings(data_dir=Path(sys.argv[1]))).data


def _chart(figure: Figure) -> None:
    datasets = {name: pd.DataFrame(columns).to_dict("records") for name, columns in figure.data.items()}
    st.vega_lite_chart({**figure.spec, "datasets": datasets})


def _table(shown: Shown) -> None:
    rows = [{column.label: row[column.name] for column in shown.shown_columns} for row in shown.rows[: shown.shown]]
    st.dataframe(pd.DataFrame(rows), hide_index=True)


def _show(view: View) -> None:
    for column, number in zip(st.columns(len(view.numbers)), view.numbers, strict=True):
        column.metric(number.label, number.value, help=number.caveat or None)
        column.caption(number.detail)
    for section in view.sections:
        st.subheader(section.title)
        st.write(section.says)
        for caveat in section.caveats:
            st.caption(caveat)
        for figure in section.figures:
            _chart(figure)
        for shown in section.tables:
            _table(shown)


st.set_page_config(layout="wide")
facts = _data().facts()
with st.sidebar:
    filters = Filters(
        year=tuple(sorted(st.pills("Years", list(facts.years), selection_mode="multi"))),
        offense_class=tuple(st.pills("Offense class", CLASSES, selection_mode="multi")),
        area=tuple(sorted(st.pills("Areas", list(facts.areas), selection_mode="multi", format_func=facts.areas.get))),
    )
try:
    _show(overview(Asked(_data(), filters)))
except NothingMatchesError as error:
    st.info(str(error))
st.html(f'<span id="drawn" data-query="{filters.query()}"></span>')
