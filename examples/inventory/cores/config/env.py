"""Settings from the environment, with types: a value that does not fit ends the program with a line that says why."""
import os
import pathlib

TRUE = ('true', '1', 'yes', 'on')
FALSE = ('false', '0', 'no', 'off')


class Environment:
    """Reads variables and collects what is wrong with them; `finish` reports all of it at once."""

    def __init__(self, values=None):
        self.values = os.environ if values is None else values
        self.problems = []

    def text(self, name, default=''):
        return self.values.get(name, '') or default

    def flag(self, name, default=False):
        value = self.text(name)
        if value.lower() in TRUE:
            return True
        if value and value.lower() not in FALSE:
            self.problems.append(f'{name}: "{value}" is neither True nor False')
        return default if not value else False

    def number(self, name, default, low, high):
        value = self.text(name, str(default))
        if value.isascii() and value.isdigit() and low <= int(value) <= high:
            return int(value)
        self.problems.append(f'{name}: "{value}" is not a number from {low} to {high}')
        return default

    def optional(self, name):
        """A text, where False (as the old template wrote it) and nothing mean none."""
        value = self.text(name)
        return None if not value or value.lower() in FALSE else value

    def secret(self, name, required=True):
        """NAME, else the content of the file that NAME_FILE names."""
        value, file = self.text(name), self.text(name + '_FILE')
        if value and file:
            self.problems.append(f'{name} and {name}_FILE are both set: set one of them')
        if not value and file:
            try:
                value = pathlib.Path(file).read_text().strip()
            except OSError as error:
                self.problems.append(f'{name}_FILE: {file}: {error.strerror}')
                return value
        if required and not value:
            self.problems.append(f'{name}: set it, or {name}_FILE to a file that holds it')
        return value

    def require(self, why, *names):
        for name in names:
            if not self.text(name):
                self.problems.append(f'{name}: {why} needs it')

    def finish(self):
        if self.problems:
            raise SystemExit('\n'.join(f'cores: {problem}' for problem in self.problems))
