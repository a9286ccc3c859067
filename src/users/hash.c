/*
 * The forms:
 *
 *     $2b$10$ 22 letters of salt, 31 of the hash                 bcrypt, 2^10 rounds
 *     $6$rounds=5000$ salt $ 86 letters                          SHA-crypt; $5$: 43 letters
 *     $y$j9T$ salt $ 43 letters                                  yescrypt; 9: the size N, T: the blocks r
 *
 * A letter is one of "./0-9A-Za-z". What a hash costs is in its text, so a costly one is found
 * before a client can ask for it.
 */
#include "users/hash.h"

#define BCRYPT_LENGTH 60
#define SHA_SALT_MAX 16
#define YESCRYPT_SALT_MAX 86
#define YESCRYPT_LETTERS 43

static bool begins(struct text text, const char *with)
{
    size_t length = strlen(with);
    return text.length >= length && memcmp(text.base, with, length) == 0;
}

static struct text after(struct text text, size_t length)
{
    return (struct text){text.base + length, text.length - length};
}

/* Returns the value of a letter, 0 to 63; -1 when it is none. */
static int letter_value(char c)
{
    static const char letters[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *at = memchr(letters, c, sizeof(letters) - 1);
    return at ? (int)(at - letters) : -1;
}

/* Returns how many letters the text begins with. */
static size_t letters_length(struct text text)
{
    size_t length = 0;
    while (length < text.length && letter_value(text.base[length]) >= 0)
        length++;
    return length;
}

static bool digit_is(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- bcrypt ---------------------------------------------------------------------------------- */

static bool is_bcrypt(struct text hash)
{
    return begins(hash, "$2a$") || begins(hash, "$2b$") || begins(hash, "$2y$");
}

static const char *bcrypt_fault(struct text hash)
{
    const char *cost = hash.base + 4;
    if (hash.length != BCRYPT_LENGTH || !digit_is(cost[0]) || !digit_is(cost[1]) ||
        cost[2] != '$' || letters_length(after(hash, 7)) != BCRYPT_LENGTH - 7)
        return "the bcrypt hash is not whole; make it anew with htpasswd -B";
    int rounds = (cost[0] - '0') * 10 + cost[1] - '0';
    if (rounds < 4 || rounds > BCRYPT_COST_MAX)
        return "the cost of the bcrypt hash must be 4 to 14; make it anew with htpasswd -B -C 10";
    return NULL;
}

/* ---- SHA-crypt ------------------------------------------------------------------------------- */

static bool is_sha(struct text hash)
{
    return begins(hash, "$5$") || begins(hash, "$6$");
}

/* Takes "rounds=N$" off the text. Returns false when N is not 1000 to SHA_ROUNDS_MAX. */
static bool rounds_take(struct text *rest)
{
    uint32_t rounds = 0;
    if (!begins(*rest, "rounds=")) return true;
    *rest = after(*rest, strlen("rounds="));
    if (begins(*rest, "0")) return false;
    while (rest->length > 0 && digit_is(rest->base[0]) && rounds <= SHA_ROUNDS_MAX) {
        rounds = 10 * rounds + (uint32_t)(rest->base[0] - '0');
        *rest = after(*rest, 1);
    }
    if (rounds < 1000 || rounds > SHA_ROUNDS_MAX || !begins(*rest, "$")) return false;
    *rest = after(*rest, 1);
    return true;
}

/* Takes a salt of at most `most` letters, and its "$". */
static bool salt_take(struct text *rest, size_t most)
{
    size_t length = letters_length(*rest);
    if (length > most || length == rest->length || rest->base[length] != '$') return false;
    *rest = after(*rest, length + 1);
    return true;
}

static const char *sha_fault(struct text hash)
{
    size_t letters = hash.base[1] == '5' ? 43 : 86;
    struct text rest = after(hash, 3);
    if (!rounds_take(&rest))
        return "the rounds of the SHA-crypt hash must be 1000 to 1000000; make it anew with "
               "mkpasswd -m sha512crypt";
    if (!salt_take(&rest, SHA_SALT_MAX) || rest.length != letters ||
        letters_length(rest) != letters)
        return "the SHA-crypt hash is not whole; make it anew with mkpasswd -m sha512crypt";
    return NULL;
}

/* ---- yescrypt -------------------------------------------------------------------------------- */

static bool is_yescrypt(struct text hash)
{
    return begins(hash, "$y$");
}

/* Returns the memory in bytes, 128 N r, of "$y$jNr$"; 0 when it is written otherwise. */
static uint64_t yescrypt_bytes(struct text hash)
{
    if (hash.length < 7 || hash.base[3] != 'j' || hash.base[6] != '$') return 0;
    int n = letter_value(hash.base[4]), r = letter_value(hash.base[5]);
    if (n < 0 || n > 30 || r < 0 || r > 46) return 0; /* greater ones have several letters */
    return UINT64_C(128) * (UINT64_C(1) << (n + 1)) * (uint64_t)(r + 1);
}

static const char *yescrypt_fault(struct text hash)
{
    uint64_t bytes = yescrypt_bytes(hash);
    if (bytes == 0 || bytes > YESCRYPT_BYTES_MAX)
        return "the yescrypt hash needs more than 64 MiB, or has unusual parameters; make it anew "
               "with mkpasswd -m yescrypt";
    struct text rest = after(hash, 7);
    if (!salt_take(&rest, YESCRYPT_SALT_MAX) || rest.length != YESCRYPT_LETTERS ||
        letters_length(rest) != YESCRYPT_LETTERS)
        return "the yescrypt hash is not whole; make it anew with mkpasswd -m yescrypt";
    return NULL;
}

/* ---- all ------------------------------------------------------------------------------------- */

#define USE_OTHERS "; use bcrypt (htpasswd -B), or yescrypt or sha512crypt (mkpasswd -m)"

static const char *other_fault(struct text hash)
{
    if (begins(hash, "$apr1$")) return "MD5 (apr1) is too weak" USE_OTHERS;
    if (begins(hash, "$1$")) return "MD5-crypt is too weak" USE_OTHERS;
    if (begins(hash, "$2x$")) return "$2x$ is a bcrypt with a fault" USE_OTHERS;
    if (begins(hash, "{SHA}")) return "SHA-1 without a salt is too weak" USE_OTHERS;
    if (begins(hash, "$")) return "this kind of hash is not known" USE_OTHERS;
    if (hash.length == 0) return "there is no hash of a password" USE_OTHERS;
    if (begins(hash, "!") || begins(hash, "*")) return "the user is locked; remove the line";
    return "this is a plain password or a DES-crypt hash, which is too weak" USE_OTHERS;
}

const char *hash_fault(struct text hash)
{
    if (is_bcrypt(hash)) return bcrypt_fault(hash);
    if (is_sha(hash)) return sha_fault(hash);
    if (is_yescrypt(hash)) return yescrypt_fault(hash);
    return other_fault(hash);
}

uint64_t hash_bytes(struct text hash)
{
    return is_yescrypt(hash) ? yescrypt_bytes(hash) : 0;
}
