"""Just enough English for the names of the classes."""

PLURAL_ONLY = {
    "paw prints", "grapes", "cherries", "pancakes", "fries", "skis", "glasses", "sunglasses", "jeans", "gloves",
    "socks", "scissors", "headphones", "swords", "dice", "chopsticks",
}  # fmt: skip
MASS_NOUNS = {
    "bread", "bacon", "popcorn", "sushi", "spaghetti", "cheese", "corn", "broccoli", "garlic", "beer", "soda",
    "chocolate", "poop", "ping pong", "badminton", "tennis", "DNA", "yarn", "fire", "soap", "bowling", "candy", "salt",
    "money",
}  # fmt: skip
IRREGULAR = {
    "mouse": "mice",
    "computer mouse": "computer mice",
    "sheep": "sheep",
    "fish": "fish",
    "tropical fish": "tropical fish",
    "pufferfish": "pufferfish",
    "deer": "deer",
    "shrimp": "shrimp",
    "knife": "knives",
    "tooth": "teeth",
    "maple leaf": "maple leaves",
    "Santa Claus": "Santa Clauses",
    "bow and arrow": "bows and arrows",
    "bowl of rice": "bowls of rice",
    "bowl of noodles": "bowls of noodles",
    "slice of cake": "slices of cake",
    "glass of milk": "glasses of milk",
    "cup of coffee": "cups of coffee",
    "meat on bone": "meats on bone",
    "rice ball": "rice balls",
    "T-Rex": "T-Rexes",
    "octopus": "octopuses",
}
ENDS_IN_OES = ("potato", "tomato", "mango", "volcano", "tornado")
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight"]


def countable(name):
    return name not in PLURAL_ONLY and name not in MASS_NOUNS


def plural(name):
    if name in IRREGULAR:
        return IRREGULAR[name]
    if not countable(name):
        return name
    if name.endswith(("s", "x", "ch", "sh")):
        return name + "es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return name[:-1] + "ies"
    if name in ENDS_IN_OES:
        return name + "es"
    return name + "s"


def with_article(name):
    """`a dog`, `an owl`, `bread`."""
    if not countable(name) or name == "Santa Claus":
        return name
    if name in ("UFO", "unicorn"):
        return "a " + name
    return ("an " if name[0].lower() in "aeiou" or name == "hourglass" else "a ") + name


def quantity(name, count):
    """`a dog`, `three dogs`."""
    return with_article(name) if count == 1 else f"{NUMBERS[count]} {plural(name)}"


def verb(name):
    return "are" if name in PLURAL_ONLY else "is"


def there_is_no(name):
    return f"There {verb(name)} no {name}."


def capitalise(text):
    return text[0].upper() + text[1:]


def enumerate_words(words):
    """`a, b and c`."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
