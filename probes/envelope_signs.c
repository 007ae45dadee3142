// SPDX-License-Identifier: MIT
// Tells a failure from a success where the HTTP status is good: by members that
// say so (success: false, errorCode: 7), in the table of signs.
#include "envelope_part.h"

#include "../base/regex.h"

#include <string.h>

enum { BARE_MEMBERS_MAX = 5 };

// A text beside a sign: the number 500 in "status" alone says nothing.
static bool has_text(const cJSON *object)
{
    static const char *const members[] = {
        "message",       "error",         "errormessage",     "detail",
        "title",         "errors",        "infomessages",     "messages",
        "reason",        "msg",           "description",      "responsemessage",
        "errortext",     "responsetext",  "respmsg",          "statusdetail",
        "statusmessage", "llongmessage0", "resultmessage",    "returnmessage",
        "refusalreason", "errormsg",      "errorinfo",        "ncerrorplus",
        "errordesc",     "errmsg",        "statusdescription"};
    char buffer[32];
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        const cJSON *member = envelope_member(object, members[i]);
        if (member && !cJSON_IsNumber(member) && envelope_text(member, buffer))
            return true;
    }
    return false;
}

static bool is_word(const char *text, const char *const *words)
{
    char first = text ? g_ascii_tolower(*text) : '\0';
    for (; first && *words; words++)
        if (**words == first && g_ascii_strcasecmp(text, *words) == 0)
            return true;
    return false;
}

// Words of a success, and those beside which they are none: "must be saved first". What one
// language has here, the others have too, for none may change the class.
#define DONE                                                                                       \
    "success\\w*|succeeded|ok|okay|done|saved|stored|created|updated|deleted|added|imported|"      \
    "posted|received|completed?|finished|accepted|approved|normal|pending|processing|queued|"      \
    "prepared|scheduled|"                                                                          \
    "erfolg\\w*|gespeichert|angelegt|erstellt|aktualisiert|gelöscht|abgeschlossen|"               \
    "succesvol|opgeslagen|aangemaakt|bijgewerkt|verwijderd|afgerond|"                              \
    "réussi\\w*|correcto|exit\\w*|guardad\\w|cread\\w|actualizad\\w|eliminad\\w|finalizad\\w"
#define DONE_PART "succès|enregistré|créé|supprimé|terminé|accepté|mise? à jour|éxito|成功"
#define NOT_DONE                                                                                   \
    "not|never|no longer|nothing|none|un\\w+|fail\\w*|error|invalid|denied|cannot|already|must|"   \
    "should|only|before|missing|required|expired|rejected|refused|declined|"                       \
    "nicht|nie|kein\\w*|muss|müssen|darf|erst|bevor|fehl\\w*|abgelehnt|"                          \
    "niet|nooit|geen|moet|moeten|mag|eerst|voordat|fout|mislukt|geweigerd|"                        \
    "pas|jamais|aucun\\w*|doit|doivent|avant|erreur|impossible|refus\\w*|"                         \
    "no (?:se|fue|ha|est|pudo|puede|hay|exist\\w*|guardad\\w)|nunca|ning\\w*|debe|deben|antes|"    \
    "rechazad\\w"
#define NO_ERROR                                                                                   \
    "\\A\\W*(?:no|0|without|keine?|ohne|geen|zonder|aucune?|sans|sin|ningún) "                    \
    "(?:errors?|fehler|fout(?:en)?|erreurs?|errores)\\b"

// True where the text beside a code says that all went well: {"code": 1, "message":
// "Order saved"} is how many programs tell a success.
static bool tells_success(const cJSON *object)
{
    static const char pattern[] =
        "\\A(?!.*(?:\\b(?<!without )(?<!ohne )(?<!zonder )(?<!sans )(?<!sin )(?:" NOT_DONE
        ")\\b|échec|échou)).*(?:\\b(?:" DONE ")\\b|" DONE_PART ")|" NO_ERROR;
    static const char *const members[] = {"message",       "msg",  "responsetext", "resultmessage",
                                          "returnmessage", "text", "description"};
    static struct regex *regex = NULL;
    if (g_once_init_enter(&regex))
        g_once_init_leave(&regex, regex_compile(pattern, REGEX_CASELESS, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        char buffer[32];
        const cJSON *member = envelope_member(object, members[i]);
        const char *text = member && !cJSON_IsNumber(member) ? envelope_text(member, buffer) : NULL;
        if (text)
            return regex_match(regex, text, strnlen(text, 400), 0, NULL, NULL);
    }
    return false;
}

static bool shows_false(const cJSON *object, const cJSON *member, const char *text)
{
    (void)object;
    return cJSON_IsFalse(member) ||
           (cJSON_IsString(member) && text && g_ascii_strcasecmp(text, "false") == 0);
}

static bool shows_true(const cJSON *object, const cJSON *member, const char *text)
{
    (void)text;
    bool set = cJSON_IsTrue(member) || (cJSON_IsNumber(member) && member->valuedouble != 0);
    return set && has_text(object);
}

static bool shows_code(const cJSON *object, const cJSON *member, const char *text)
{
    (void)object;
    (void)member;
    return text && !envelope_is_success(text);
}

static bool shows_number(const cJSON *object, const cJSON *member, const char *text)
{
    // a result is no status: 211 is a bank's word for a wrong card
    bool status = text && strncmp(text, "20", 2) == 0;
    bool scalar = cJSON_IsNumber(member) || cJSON_IsString(member);
    return scalar && text && strspn(text, "-0123456789") == strlen(text) && !status &&
           strspn(text, "0") < strlen(text) && has_text(object) && !tells_success(object);
}

static bool shows_text(const cJSON *object, const cJSON *member, const char *text)
{
    return cJSON_IsString(member) && shows_code(object, member, text);
}

// What has a key is a record: such a word, with no text beside, is its state.
static bool is_record(const cJSON *object)
{
    return envelope_member(object, "no") || envelope_member(object, "key");
}

static bool shows_word(const cJSON *object, const cJSON *member, const char *text)
{
    static const char *const words[] = {"error",     "fail",   "failure", "failurewithwarning",
                                        "nok",       "ko",     "fatal",   "not_ok",
                                        "exception", "reject", NULL};
    (void)member;
    // what has an id is a record too, and a text beside its state is its own
    return is_word(text, words) && !envelope_member(object, "id") &&
           (has_text(object) || !is_record(object));
}

static bool shows_status(const cJSON *object, const cJSON *member, const char *text)
{
    (void)member;
    return text && envelope_is_status(text) && *text >= '4' && has_text(object);
}

// In a record, which has an id, such a word is the state of what it records.
static bool shows_refused(const cJSON *object, const cJSON *member, const char *text)
{
    static const char *const words[] = {
        "failed",  "refused", "rejected",  "denied",    "declined", "error", "failure", "cancelled",
        "aborted", "invalid", "malformed", "notauthed", "n",        "no",    NULL};
    (void)member;
    return is_word(text, words) && has_text(object) && !envelope_member(object, "id");
}

static bool shows_silent(const cJSON *object, const cJSON *member, const char *text)
{
    (void)text;
    return cJSON_IsFalse(member) && has_text(object);
}

// Banks' answers have three digits; "response": 1 alone says neither yes nor no.
static bool shows_digits(const cJSON *object, const cJSON *member, const char *text)
{
    char buffer[32];
    const cJSON *beside = envelope_member(object, "message");
    const char *message = beside ? envelope_text(beside, buffer) : NULL;
    (void)member;
    return text && message && strspn(text, "0123456789") == strlen(text) &&
           !envelope_is_success(text) &&
           (strlen(text) == 3 || g_ascii_strncasecmp(message, "error", 5) == 0) &&
           !tells_success(object);
}

// "DECLINED * =" or "Do not honor" beside a response code, in something that is no record.
static bool shows_bank(const cJSON *object, const cJSON *member, const char *text)
{
    static const char *const refusals[] = {"declined",       "refused",           "do not hono",
                                           "not sufficient", "insufficient fund", "call for auth"};
    static const char *const codes[] = {"responsecode", "respcode"};
    char buffer[32];
    const char *code = NULL;
    bool refused = false;
    (void)member;
    for (size_t i = 0; !code && i < G_N_ELEMENTS(codes); i++) {
        const cJSON *beside = envelope_member(object, codes[i]);
        code = beside ? envelope_text(beside, buffer) : NULL;
    }
    for (size_t i = 0; text && !refused && i < G_N_ELEMENTS(refusals); i++)
        refused = g_ascii_strncasecmp(text, refusals[i], strlen(refusals[i])) == 0;
    return refused && code && !envelope_is_success(code) && !envelope_member(object, "id");
}

// {"code": 100, "message": "…"} and little else: an error object without a frame.
static bool shows_bare(const cJSON *object, const cJSON *member, const char *text)
{
    char buffer[32];
    const cJSON *message = envelope_member(object, "message");
    message = message ? message : envelope_member(object, "msg");
    (void)member;
    return text && message && envelope_text(message, buffer) &&
           cJSON_GetArraySize(object) <= BARE_MEMBERS_MAX && !envelope_is_success(text) &&
           !envelope_member(object, "id") && !envelope_member(object, "data") &&
           !envelope_member(object, "result") && !tells_success(object);
}

#define FALSE_RULE shows_false
#define TRUE_RULE shows_true
#define CODE_RULE shows_code
#define NUMBER_RULE shows_number
#define TEXT_RULE shows_text
#define WORD_RULE shows_word
#define STATUS_RULE shows_status
#define REFUSED_RULE shows_refused
#define SILENT_RULE shows_silent
#define DIGITS_RULE shows_digits
#define BANK_RULE shows_bank
#define BARE_RULE shows_bare

static const struct {
    const char *member;
    bool (*shows)(const cJSON *object, const cJSON *member, const char *text);
} signs[] = {
#define ENVELOPE_SIGN(member, rule) {member, rule##_RULE},
#include "envelope_shapes.def"
};

static const struct envelope_words *sign_words(void)
{
    static struct envelope_words *words = NULL;
    if (g_once_init_enter(&words)) {
        struct envelope_words *fresh = envelope_words_new();
        for (unsigned i = 0; i < G_N_ELEMENTS(signs); i++)
            envelope_words_add(fresh, signs[i].member, strlen(signs[i].member), i);
        g_once_init_leave(&words, fresh);
    }
    return words;
}

// True for what only warns, with a code all the same.
static bool warns(const cJSON *object)
{
    static const char *const words[] = {"warning", "warn", "info", "information", NULL};
    char buffer[32];
    const cJSON *member = envelope_member(object, "severity");
    if (!member)
        member = envelope_member(object, "severitycode");
    return member && is_word(envelope_text(member, buffer), words);
}

static bool shows_sign(const cJSON *object, const struct envelope_names *names)
{
    uint64_t rows = envelope_words_find(sign_words(), names);
    for (; rows; rows &= rows - 1) {
        char buffer[32];
        int i = __builtin_ctzll(rows);
        if (i >= (int)G_N_ELEMENTS(signs))
            break;
        const cJSON *member = envelope_member(object, signs[i].member);
        if (member && signs[i].shows(object, member, envelope_text(member, buffer)))
            return true;
    }
    return false;
}

bool envelope_shows_failure(const cJSON *object, const struct envelope_names *names)
{
    return shows_sign(object, names) && !warns(object);
}
