"""A page as a tree of elements, with what is wrong in how it is written. Standard library only."""

import html.parser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Element:
    """One element: its tag, attributes, line, and children, which are elements and strings."""

    def __init__(self, tag, attributes=(), parent=None, line=0):
        self.tag = tag
        self.attributes = {name: value if value is not None else "" for name, value in attributes}
        self.parent = parent
        self.line = line
        self.children = []

    def get(self, name, default=None):
        return self.attributes.get(name, default)

    def has(self, name):
        return name in self.attributes

    @property
    def classes(self):
        return self.get("class", "").split()

    @property
    def text(self):
        """All text in it, as it is written."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def words(self):
        """All text in it on one line."""
        return " ".join(self.text.split())

    def all(self, tag=None, cls=None, has=None, **attributes):
        """The elements within it, in their order: of this tag and class, with this attribute, with these values."""
        for child in self.children:
            if isinstance(child, str):
                continue
            if ((tag is None or child.tag == tag) and (cls is None or cls in child.classes)
                    and (has is None or child.has(has))
                    and all(child.get(name) == value for name, value in attributes.items())):
                yield child
            yield from child.all(tag, cls, has, **attributes)

    def first(self, *arguments, **attributes):
        return next(self.all(*arguments, **attributes), None)

    def inside(self, *tags):
        """Whether one of its ancestors has one of these tags."""
        above = self.parent
        while above is not None and above.tag not in tags:
            above = above.parent
        return above is not None


class Reader(html.parser.HTMLParser):
    """Builds the tree. An end tag that does not close what is open is a complaint."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element("#page")
        self.complaints = []

    def complain(self, words):
        self.complaints.append("line %d: %s" % (self.getpos()[0], words))

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.complain("an attribute twice in <%s>" % tag)
        made = Element(tag, attrs, self.at, self.getpos()[0])
        self.at.children.append(made)
        if tag not in VOID:
            self.at = made

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.at = self.at.parent

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if self.at.tag != tag:
            self.complain("</%s> where <%s> of line %d is open" % (tag, self.at.tag, self.at.line))
        above = self.at
        while above is not None and above.tag != tag:
            above = above.parent
        if above is not None:
            self.at = above.parent

    def handle_data(self, data):
        self.at.children.append(data)


class Page(Element):
    """The tree of a file. `name` is its file's name without .html, `path` where it is."""

    def __init__(self, path):
        super().__init__("#page")
        reader = Reader()
        reader.feed(path.read_text(encoding="utf-8"))
        reader.close()
        self.path = path
        self.name = path.stem
        self.children = reader.root.children
        for child in self.children:
            if not isinstance(child, str):
                child.parent = self
        self.complaints = reader.complaints
        if reader.at is not reader.root:
            self.complaints.append("<%s> of line %d is never closed" % (reader.at.tag, reader.at.line))

    @property
    def ids(self):
        return [element.get("id") for element in self.all(has="id")]
