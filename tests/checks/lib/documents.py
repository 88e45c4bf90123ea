"""What checks read out of the documentation."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def sql_blocks(page):
    return re.findall(r"^```sql\n(.*?)^```", page.read_text(), re.M | re.S)


def roles_of_the_readme():
    """The statements that make goals_sender, goals_analyst and goals_admin, as they are printed."""
    return next(block for page in PAGES for block in sql_blocks(page) if "create role goals_admin" in block)
