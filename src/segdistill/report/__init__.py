"""From run folders to tables, curves and one self-contained page.

Examples:
    Compare two runs on a page::

        from segdistill import report

        summaries = report.collect({"Baseline": "runs/baseline", "Distilled": "runs/distilled"})
        cases = report.predict_examples(summaries, {"Kvasir": kvasir})
        report.html.report(summaries, "report.html", examples=cases)

    Compare them image by image::

        print(report.compare("runs/baseline", "runs/distilled").sentences)
"""

from segdistill.report import history, html, plot
from segdistill.report.comparison import compare
from segdistill.report.examples import Example, choose
from segdistill.report.history import History
from segdistill.report.predictions import predict_examples
from segdistill.report.runs import RunSummary, collect

__all__ = [
    "Example",
    "History",
    "RunSummary",
    "choose",
    "collect",
    "compare",
    "history",
    "html",
    "plot",
    "predict_examples",
]
