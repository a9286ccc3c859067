"""Puts key frames of VP8 into a WebM file with cues, so that a player can seek in it.

The frames come from lossy WebP pictures, which are one VP8 key frame each (RFC 9649 §2.5). The rest is Matroska's
binary form, EBML (RFC 8794, RFC 9559).
"""

import struct


def vp8_of(webp):
    """The VP8 frame of a WebP file: the content of its first chunk "VP8 "."""
    at = webp.index(b"VP8 ")
    size = struct.unpack("<I", webp[at + 4:at + 8])[0]
    return webp[at + 8:at + 8 + size]


def element(number, content):
    """An element: its number, its size in eight bytes, and its content."""
    return bytes.fromhex("%x" % number) + struct.pack(">Q", 1 << 56 | len(content)) + content


def unsigned(number, value, size=8):
    return element(number, value.to_bytes(size, "big"))


def text(number, value):
    return element(number, value.encode("ascii"))


def cluster(milliseconds, frame, padding):
    block = element(0xa3, b"\x81\0\0\x80" + frame)  # SimpleBlock of track 1, a key frame
    return element(0x1f43b675, unsigned(0xe7, milliseconds) + block + element(0xec, bytes(padding)))


def cue(milliseconds, position):
    positions = unsigned(0xf7, 1) + unsigned(0xf1, position)
    return element(0xbb, unsigned(0xb3, milliseconds) + element(0xb7, positions))


def seek(number, position):
    return element(0x4dbb, element(0x53ab, bytes.fromhex("%x" % number)) + unsigned(0x53ac, position))


def webm(frames, width, height, milliseconds, padding):
    """A video of these VP8 frames, each shown for so many milliseconds, with so many bytes of nothing behind each."""
    header = element(0x1a45dfa3, unsigned(0x4286, 1) + unsigned(0x42f7, 1) + unsigned(0x42f2, 4) + unsigned(0x42f3, 8) +
                     text(0x4282, "webm") + unsigned(0x4287, 2) + unsigned(0x4285, 2))
    duration = element(0x4489, struct.pack(">d", float(len(frames) * milliseconds)))
    info = element(0x1549a966, unsigned(0x2ad7b1, 1000000) + text(0x4d80, "zcserve") + text(0x5741, "zcserve") + duration)
    picture = element(0xe0, unsigned(0xb0, width) + unsigned(0xba, height))
    track = element(0x1654ae6b, element(0xae, unsigned(0xd7, 1) + unsigned(0x73c5, 1) + unsigned(0x83, 1) +
                                        text(0x86, "V_VP8") + picture))
    seek_size = len(element(0x114d9b74, seek(0x1c53bb6b, 0)))
    front = seek_size + len(info) + len(track)
    cues_size = len(element(0x1c53bb6b, cue(0, 0) * len(frames)))
    clusters = [cluster(i * milliseconds, frame, padding) for i, frame in enumerate(frames)]
    position, cues = front + cues_size, b""
    for i, one in enumerate(clusters):
        cues += cue(i * milliseconds, position)
        position += len(one)
    seeks = element(0x114d9b74, seek(0x1c53bb6b, front))
    return header + element(0x18538067, seeks + info + track + element(0x1c53bb6b, cues) + b"".join(clusters))
