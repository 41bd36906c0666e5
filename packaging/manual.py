"""The man page, made of what the command line declares (`qubs-mock --experimental-dump-help`)."""

import time


def escaped(text):
    """Text for roff: no macro begins a line, and no hyphen becomes another character."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    lines = [("\\&" + line) if line[:1] in (".", "'") else line for line in text.split("\n")]
    return "\n".join(lines)


def spelled(name):
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def option(argument):
    """The item of an option or an argument: its names, its value, what it does."""
    names = ", ".join(f"\\fB{escaped(spelled(name))}\\fR" for name in argument.get("names", []))
    value = f"\\fI{escaped(argument.get('valueName', ''))}\\fR"
    if argument["kind"] == "positional":
        names = value
    elif argument["kind"] == "option":
        names += " " + value
    text = argument.get("abstract", "")
    default = argument.get("defaultValue")
    if default and "(default" not in text:
        text += f" (default: {default})"
    if argument.get("isRepeating") and "repeated" not in text:
        text += " Can be repeated."
    return f".TP\n{names}\n{escaped(text.strip())}\n"


def is_common(argument):
    return {name["name"] for name in argument.get("names", [])} & {"help", "version"}


def commands(command, path=()):
    """The subcommands that do something, each with its full name."""
    for child in command.get("subcommands", []):
        if child["commandName"] == "help" or not child.get("shouldDisplay", True):
            continue
        here = (*path, child["commandName"])
        below = list(commands(child, here))
        yield from below or [(" ".join(here), child)]


def section(name, command):
    lines = [f".SS {escaped(name)}\n{escaped(command.get('abstract', ''))}\n"]
    if command.get("discussion"):
        lines += [".PP\n" + escaped(part) + "\n" for part in command["discussion"].split("\n\n")]
    lines += [
        option(argument)
        for argument in command.get("arguments", [])
        if argument.get("shouldDisplay", True) and not is_common(argument)
    ]
    return "".join(lines)


def page(dump, version, epoch):
    """The page for section 1, as octets."""
    root = dump["command"]
    name = root["commandName"]
    day = time.strftime("%Y-%m-%d", time.gmtime(epoch))
    parts = [
        f'.TH {name.upper()} 1 "{day}" "{name} {version}" "User Commands"\n',
        f".SH NAME\n{escaped(name)} \\- {escaped(root['abstract'].rstrip('.'))}\n",
        f".SH SYNOPSIS\n.B {escaped(name)}\n[\\fIcommand\\fR] [\\fIoptions\\fR]\n",
        f".SH DESCRIPTION\n{escaped(root.get('discussion', ''))}\n",
        ".PP\nWithout a command it serves. \\fB\\-\\-help\\fR behind a command tells its options,"
        " \\fB\\-\\-version\\fR the version.\n",
        ".SH COMMANDS\n",
        *(section(*entry) for entry in commands(root)),
        ".SH EXIT STATUS\n.TP\n0\nThe command did what it says.\n.TP\n64\nThe command line is wrong.\n"
        ".PP\nOther numbers stand with the command that has them.\n",
    ]
    return "".join(parts).encode()
