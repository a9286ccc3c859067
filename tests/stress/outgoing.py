"""The bytes of a batch of requests, in the pieces in which they are sent."""

SINGLE_BYTES = 150  # of a batch that are sent one by one, at most


class Outgoing:
    def __init__(self, batch, split, random):
        self.batch, self.split, self.random = batch, split, random
        self.at = self.piece_end = 0
        texts = [request.bytes() for request in batch]
        self.bytes = b"".join(texts)
        self.bounds = []  # where each request ends
        for request, text in zip(batch, texts):
            request.sent = None  # when the last byte that its response needs was about to be sent
            self.bounds.append((self.bounds[-1] if self.bounds else 0) + len(text))
        self.unsent = [(bound - request.unneeded(), request)
                       for bound, request in zip(self.bounds, batch)]

    @property
    def left(self):
        return len(self.bytes) - self.at

    def give_up(self):
        """Nothing more can be sent."""
        self.bytes = self.bytes[:self.at]

    def piece(self):
        """What to send next."""
        if self.piece_end <= self.at:
            self.piece_end = self._piece_end()
        return self.bytes[self.at:self.piece_end]

    @property
    def between_pieces(self):
        return self.at == self.piece_end

    def _piece_end(self):
        if self.split == "request":
            return next(bound for bound in self.bounds if bound > self.at)
        if self.split == "pieces":
            return self.at + min(self.left, self.random.choice((1, 7, 100, 1460, 4000)))
        if self.split == "bytes" and self.at < SINGLE_BYTES:
            return self.at + 1
        return len(self.bytes)

    def took(self, count, began):
        """The kernel took so many, at the earliest at `began`."""
        self.at += count
        while self.unsent and self.unsent[0][0] <= self.at:
            self.unsent.pop(0)[1].sent = began

    def went_on_after_close(self):
        """Whether a request was followed by others although it said that it is the last one. A client
        must not do that (RFC 9112 §9.6), and risks that a reset destroys responses.
        """
        return any(request.closes and not request.bad and bound < self.at
                   for bound, request in zip(self.bounds, self.batch))
