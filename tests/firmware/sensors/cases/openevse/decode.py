from firmware.sensors import openevse


def openevse_line(case: dict) -> str:
    return openevse.line(case["command"]).decode()


def decode(case: dict) -> list:
    """The words of each line, and what they mean as an answer to a question."""
    lines = openevse.Parser().feed(case["text"].encode())
    meaning = dict(openevse.QUESTIONS).get(case.get("asked", ""))
    return [meaning(words) for words in lines] if meaning else lines
