"""What a command's help shows."""

import re


def options_in(help_text):
    """{"--batch": "N", "--json": ""}: the options with their value's word; "--inferences N, --rate N" are two."""
    headings = re.findall(r"^  (-\S.*?)  ", help_text, re.MULTILINE)
    words = [word.split(" ") for heading in headings for word in heading.split(", ") if word.startswith("--")]
    return {option: "".join(value) for option, *value in words}
