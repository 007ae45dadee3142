// SPDX-License-Identifier: MIT
// lexicon: how much a text says, and what codes, texts and statuses mean.
#include "../../probes/lexicon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_generic_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "An error has occurred.",
        "An unexpected error occurred",
        "Internal error (-42) occurred",
        "Unknown error",
        "Something went wrong",
        "Oops, something went wrong. Please try again.",
        "There was a problem with your request",
        "Unable to save order",
        "Could not process the request",
        "Failed to create customer.",
        "The request could not be processed",
        "Invalid request",
        "Please contact your administrator.",
        "failure",
        "Odoo Server Error",
        "Internal Error. Details are available in the log file. Report ID: webapi-5c9",
        "An error occurred. CorrelationId: 11111111-2222-3333-4444-555555555555.",
        "Es ist ein Fehler aufgetreten",
        "Ein unerwarteter Fehler ist aufgetreten.",
        "Er is een onverwachte fout opgetreden.",
        "Une erreur est survenue",
        "Se ha producido un error",
        "Error interno del servidor",
        "Object reference not set to an instance of an object.",
        "Traceback (most recent call last):\n  File x",
        "Index was out of range. Must be non-negative",
        "'partner_id'",
        "default backend - 404",
        "Endpoint request timed out",
        "Invalid request - see details",
        "System.Exception: x\n   at System.Foo.Bar(String s)",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (lexicon_weigh(texts[i]) != LEXICON_GENERIC)
            fail_msg("%d: %s", (int)lexicon_weigh(texts[i]), texts[i]);
}

static void test_statuses_in_words(void **state)
{
    (void)state;
    static const char *const texts[] = {"Unauthorized",      "Bad Request",
                                        "502 Bad Gateway",   "HTTP Status 401 – Unauthorized",
                                        "Not Found.",        "Internal Server Error",
                                        "Too Many Requests", "404"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (lexicon_weigh(texts[i]) != LEXICON_STATUS)
            fail_msg("%d: %s", (int)lexicon_weigh(texts[i]), texts[i]);
}

static void test_specific_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "The Customer does not exist.",
        "Item 7 not found",
        "Error: Data missing in table Items",
        "Invalid BP code [OPDN.CardCode]",
        "Could not find a cart with ID 7",
        "Authorization has been denied for this request.",
        "VAT invalid",
        "Declined",
        "Error while parsing an XML stream",
        "Kunde 7 ist gesperrt",
        "404 items are left of order 7",
        "Unable to identify proxy for host: secure",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (lexicon_weigh(texts[i]) != LEXICON_SPECIFIC)
            fail_msg("%d: %s", (int)lexicon_weigh(texts[i]), texts[i]);
    assert_int_equal(lexicon_weigh(NULL), LEXICON_EMPTY);
    assert_int_equal(lexicon_weigh(" \n"), LEXICON_EMPTY);
}

static void test_codes(void **state)
{
    (void)state;
    assert_true(lexicon_code_is_generic(NULL, 400));
    assert_true(lexicon_code_is_generic("", 400));
    assert_true(lexicon_code_is_generic("500", 500));
    assert_true(lexicon_code_is_generic("UNEXPECTED_ERROR", 200));
    assert_true(lexicon_code_is_generic("SOAP-ENV:Server", 500));
    assert_false(lexicon_code_is_generic("417", 200));
    assert_false(lexicon_code_is_generic("soap:Client", 500));
    assert_false(lexicon_code_is_generic("-5002", 400));
    assert_false(lexicon_code_is_generic("Application_DialogException", 400));
}

struct meaning {
    int status;
    const char *code, *message;
    enum verdict_cause cause;
};

static struct verdict *apply(const struct meaning *meaning)
{
    struct verdict *verdict = verdict_new();
    verdict->class = VERDICT_CLASS_ERROR_CODE;
    verdict->code = g_strdup(meaning->code);
    verdict->message = g_strdup(meaning->message);
    lexicon_apply(lexicon_common(), meaning->status, verdict);
    return verdict;
}

static void check(const struct meaning *meanings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autoptr(verdict_t) verdict = apply(&meanings[i]);
        if (verdict->cause != meanings[i].cause)
            fail_msg("%d %s %s: %s", meanings[i].status, meanings[i].code, meanings[i].message,
                     verdict_cause_word(verdict->cause));
        assert_non_null(verdict->explanation);
        assert_non_null(verdict->act);
    }
}

static void test_every_cause(void **state)
{
    (void)state;
    static const struct meaning meanings[] = {
        {400, "invalid_grant", "x 7", VERDICT_CAUSE_AUTH},
        {401, NULL, "AADSTS7000222: The provided client secret keys are expired.",
         VERDICT_CAUSE_AUTH},
        {500, NULL, "Login failed for user probe", VERDICT_CAUSE_AUTH},
        {401, "nonce_used", "nonce_used", VERDICT_CAUSE_AUTH},
        {400, NULL, "the server wants a client certificate", VERDICT_CAUSE_AUTH},
        {200, "100", "Session expired", VERDICT_CAUSE_AUTH},
        {400, NULL, "You do not have the following permissions on Customer: Read",
         VERDICT_CAUSE_PERMISSION},
        {403, "Forbidden", "No authorization to access service X", VERDICT_CAUSE_PERMISSION},
        {400, "X", "Name must have a value", VERDICT_CAUSE_VALIDATION},
        {400, "X", "The value 7 is not found in the related table Groups",
         VERDICT_CAUSE_VALIDATION},
        {400, "X", "The product is out of stock", VERDICT_CAUSE_VALIDATION},
        {400, "X", "The Customer does not exist", VERDICT_CAUSE_NOT_FOUND},
        {404, "X", "Qux quux", VERDICT_CAUSE_NOT_FOUND},
        {400, "X", "Resource not found for the segment 'y'", VERDICT_CAUSE_NOT_FOUND},
        {400, "X", "The record already exists", VERDICT_CAUSE_CONFLICT},
        {400, "X", "Another user has changed the record", VERDICT_CAUSE_CONFLICT},
        {400, "X", "Order 7 has already been processed", VERDICT_CAUSE_CONFLICT},
        {500, "X", "Lock wait timeout exceeded; try restarting", VERDICT_CAUSE_LOCKED},
        {500, "X", "deadlock detected", VERDICT_CAUSE_LOCKED},
        {400, "X", "Number of requests exceeded the limit of 6", VERDICT_CAUSE_RATE_LIMIT},
        {429, "X", "Try again in 7 seconds", VERDICT_CAUSE_RATE_LIMIT},
        {500, "X", "The service is temporarily unavailable", VERDICT_CAUSE_UNAVAILABLE},
        {500, "X", "Connection refused by db:5432", VERDICT_CAUSE_UNAVAILABLE},
        {500, "X", "Qux quux", VERDICT_CAUSE_SERVER_FAULT},
        {400, "X", "Could not find a property named 'y' on type 'z'", VERDICT_CAUSE_CONTRACT},
        {400, "X", "JSON parse error at 7", VERDICT_CAUSE_CONTRACT},
        {405, "X", "Qux quux", VERDICT_CAUSE_CONTRACT},
        {400, "X", "No valid license for this company", VERDICT_CAUSE_LICENSE},
        {402, "X", "Qux quux", VERDICT_CAUSE_LICENSE},
        {0, NULL, NULL, VERDICT_CAUSE_VALIDATION},
    };
    check(meanings, G_N_ELEMENTS(meanings));
}

// Families by their codes, their words, or both.
static void test_families(void **state)
{
    (void)state;
    static const struct meaning meanings[] = {
        {400, "X_CallbackNotAllowed", "It issued a client callback", VERDICT_CAUSE_CONTRACT},
        {400, "X_InvalidRequestUrl", "A part exists twice", VERDICT_CAUSE_CONTRACT},
        {200, "INVALID_SOME_REF", "invalid reference 7", VERDICT_CAUSE_VALIDATION},
        {400, "X_CompanyNotFound", "No default company in the file", VERDICT_CAUSE_NOT_FOUND},
        {400, "NONEXISTENT_KEY", "The record instance is gone", VERDICT_CAUSE_NOT_FOUND},
        {400, "X", "Entity with value('7') does not exist", VERDICT_CAUSE_NOT_FOUND},
        {400, "X", "The value 7 does not exist", VERDICT_CAUSE_VALIDATION},
        {200, "X", "Record has been changed", VERDICT_CAUSE_CONFLICT},
        {400, "X", "Table 'T' is not allowed to be accessed", VERDICT_CAUSE_PERMISSION},
        {401, "401", "Unauthorized: access not allowed for probe", VERDICT_CAUSE_PERMISSION},
        {400, NULL, "The header Authorization is not there", VERDICT_CAUSE_AUTH},
        {400, "X", "Unable to convert value to Date", VERDICT_CAUSE_CONTRACT},
        {400, "X", "Validation failed: lines must be of one type", VERDICT_CAUSE_VALIDATION},
        {400, "X", "XML validation failed: cvc-type.3.1.3", VERDICT_CAUSE_CONTRACT},
        {400, "X", "Error validating xml data against the schema", VERDICT_CAUSE_CONTRACT},
        {417, "417", "Could not find order header 7", VERDICT_CAUSE_NOT_FOUND},
        {200, "508", "You must specify a valid amount", VERDICT_CAUSE_VALIDATION},
        {200, "NOTAUTHED", "It was not authorised by the bank.", VERDICT_CAUSE_VALIDATION},
        {200, "X", "You are not authorised", VERDICT_CAUSE_PERMISSION},
        {402, "X", "Carte refusée", VERDICT_CAUSE_VALIDATION},
        {402, "X", "Tarjeta invalida", VERDICT_CAUSE_VALIDATION},
        {200, "101", "Declined", VERDICT_CAUSE_VALIDATION},
        {400, "X", "Invalid users involved", VERDICT_CAUSE_VALIDATION},
        {400, "X", "Invalid user", VERDICT_CAUSE_AUTH},
    };
    check(meanings, G_N_ELEMENTS(meanings));
}

static void test_languages(void **state)
{
    (void)state;
    static const struct meaning meanings[] = {
        {400, NULL, "Kunde 7 wurde nicht gefunden", VERDICT_CAUSE_NOT_FOUND},
        {400, NULL, "Der Artikel existiert bereits", VERDICT_CAUSE_CONFLICT},
        {400, NULL, "Keine Berechtigung für diesen Vorgang", VERDICT_CAUSE_PERMISSION},
        {400, NULL, "Benutzername oder Passwort falsch", VERDICT_CAUSE_AUTH},
        {400, NULL, "Pflichtfeld Name fehlt", VERDICT_CAUSE_VALIDATION},
        {400, NULL, "De klant bestaat niet", VERDICT_CAUSE_NOT_FOUND},
        {400, NULL, "Het nummer bestaat al", VERDICT_CAUSE_CONFLICT},
        {400, NULL, "U bent niet geautoriseerd", VERDICT_CAUSE_PERMISSION},
        {400, NULL, "Het veld naam is verplicht", VERDICT_CAUSE_VALIDATION},
        {400, NULL, "Le client n'existe pas", VERDICT_CAUSE_NOT_FOUND},
        {400, NULL, "Le code existe déjà", VERDICT_CAUSE_CONFLICT},
        {400, NULL, "Accès refusé à la société", VERDICT_CAUSE_PERMISSION},
        {400, NULL, "Mot de passe incorrect", VERDICT_CAUSE_AUTH},
        {400, NULL, "El cliente no existe", VERDICT_CAUSE_NOT_FOUND},
        {400, NULL, "El código ya existe", VERDICT_CAUSE_CONFLICT},
        {400, NULL, "No tiene permiso para esta acción", VERDICT_CAUSE_PERMISSION},
        {503, NULL, "Wegen Wartung geschlossen", VERDICT_CAUSE_UNAVAILABLE},
    };
    check(meanings, G_N_ELEMENTS(meanings));
}

// One meaning in five languages has one cause.
static void test_one_cause_in_all_languages(void **state)
{
    (void)state;
    static const struct {
        enum verdict_cause cause;
        const char *texts[5];
    } meanings[] = {
        {VERDICT_CAUSE_CONFLICT,
         {"Another user has changed the line", "Ein anderer Benutzer hat die Zeile geändert",
          "Een andere gebruiker heeft de regel gewijzigd",
          "Un autre utilisateur a modifié la ligne", "Otro usuario ha modificado la línea"}},
        {VERDICT_CAUSE_LOCKED,
         {"Table T is locked by another user", "Tabelle T ist von einem anderen Benutzer gesperrt",
          "Tabel T is vergrendeld door een andere gebruiker",
          "La table T est verrouillée par un autre utilisateur",
          "La tabla T está bloqueada por otro usuario"}},
        {VERDICT_CAUSE_CONFLICT,
         {"The invoice has already been paid", "Die Rechnung wurde bereits bezahlt",
          "De factuur is al betaald", "La facture a déjà été payée",
          "La factura ya ha sido pagada"}},
        {VERDICT_CAUSE_PERMISSION,
         {"You do not have these permissions: read", "Sie haben nicht diese Berechtigungen: Lesen",
          "U hebt geen machtigingen voor T: lezen", "Vous n'avez pas les autorisations : lecture",
          "No tiene los siguientes permisos: lectura"}},
        {VERDICT_CAUSE_VALIDATION,
         {"The field F of table T contains a value that is not in the related table",
          "Der Wert von F steht nicht in der verwandten Tabelle (G)",
          "De waarde van F staat niet in de gerelateerde tabel (G)",
          "La valeur de F n'est pas dans la table associée (G)",
          "El valor de F no está en la tabla relacionada (G)"}},
        {VERDICT_CAUSE_NOT_FOUND,
         {"No item with number 7 was found", "Kein Artikel mit der Nummer 7 gefunden",
          "Geen artikel met nummer 7 gevonden", "Aucun article 7 trouvé",
          "No se ha encontrado el artículo 7"}},
        {VERDICT_CAUSE_CONTRACT,
         {"Unknown field 'f'", "Unbekanntes Feld 'f'", "Onbekend veld 'f'", "Champ inconnu : f",
          "Campo desconocido: f"}},
        {VERDICT_CAUSE_UNAVAILABLE,
         {"Could not connect to the database",
          "Keine Verbindung: Verbindung zur Datenbank verloren",
          "Verbinding met de database mislukt", "Connexion à la base impossible",
          "Conexión perdida con la base"}},
        {VERDICT_CAUSE_VALIDATION,
         {"F may not be empty", "F darf nicht leer sein", "F mag niet leeg zijn",
          "F ne peut pas être vide", "F no puede estar vacío"}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(meanings[i].texts); j++) {
            const struct meaning one = {400, "X", meanings[i].texts[j], meanings[i].cause};
            check(&one, 1);
        }
}

// Nor does the class: what says little, and what tells a failure, does so in each.
static void test_one_weight_in_all_languages(void **state)
{
    (void)state;
    static const struct {
        enum lexicon_weight weight;
        const char *texts[5];
    } meanings[] = {
        {LEXICON_GENERIC,
         {"The request was rejected", "Die Anfrage wurde abgelehnt", "Het verzoek is afgewezen",
          "La demande a été rejetée", "La solicitud fue rechazada"}},
        {LEXICON_GENERIC,
         {"The request could not be processed", "Die Anfrage konnte nicht verarbeitet werden",
          "De aanvraag kon niet worden verwerkt", "La requête n'a pas pu être traitée",
          "La solicitud no se pudo procesar"}},
        {LEXICON_GENERIC,
         {"Something went wrong", "Etwas ist schiefgegangen", "Er is iets misgegaan",
          "Quelque chose s'est mal passé", "Algo salió mal"}},
        {LEXICON_SPECIFIC,
         {"Order 7 could not be saved", "Auftrag 7 konnte nicht gespeichert werden",
          "Order 7 kon niet worden opgeslagen", "La commande 7 n'a pas pu être enregistrée",
          "No se pudo guardar el pedido 7"}},
        {LEXICON_SPECIFIC,
         {"Transfer 7 failed", "Übertragung 7 fehlgeschlagen", "Overdracht 7 mislukt",
          "Le transfert 7 a échoué", "Traspaso 7 fallido"}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(meanings[i].texts); j++) {
            const char *text = meanings[i].texts[j];
            if (lexicon_weigh(text) != meanings[i].weight ||
                !lexicon_tells_failure(lexicon_common(), text))
                fail_msg("%s: weight %d", text, lexicon_weigh(text));
        }
    static const char *const good[] = {
        "Order 7 was saved", "Auftrag 7 wurde gespeichert",
        "Done, no error",    "Kein Fehler",
        "Geen fout",         "Aucune erreur",
        "Sin error",         "Ohne Fehler gespeichert",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        if (lexicon_tells_failure(lexicon_common(), good[i]))
            fail_msg("%s", good[i]);
}

// The usual words where the status, a failure of the program, says something else.
static void test_usual_words_of_four_languages(void **state)
{
    (void)state;
    static const struct {
        enum verdict_cause cause;
        const char *texts[8];
    } meanings[] = {
        {VERDICT_CAUSE_RATE_LIMIT,
         {"Das Limit der Anfragen ist erreicht", "Limiet van verzoeken bereikt",
          "Nombre maximal de requêtes atteint", "Límite de peticiones alcanzado"}},
        {VERDICT_CAUSE_LICENSE,
         {"Keine Lizenz für Modul 7", "U hebt geen geldige licentie", "Vous n'avez pas de licence",
          "No tiene licencia"}},
        {VERDICT_CAUSE_LOCKED,
         {"Beleg 7 ist durch Benutzer A gesperrt", "Order 7 is in gebruik door A",
          "L'enregistrement 7 est verrouillé", "El pedido está siendo editado"}},
        {VERDICT_CAUSE_AUTH,
         {"Das Benutzerkonto ist gesperrt", "Het token is verlopen", "Le jeton a expiré",
          "Error de autenticación", "Nicht angemeldet", "U bent niet ingelogd"}},
        {VERDICT_CAUSE_PERMISSION,
         {"Fehlende Rechte für Firma 7", "Onvoldoende rechten", "Accès non autorisé",
          "Permisos insuficientes", "U heeft geen toestemming", "Acceso prohibido"}},
        {VERDICT_CAUSE_CONFLICT,
         {"Es gibt schon eine Order 7", "Er is al een order met nummer 7",
          "Le client a été modifié entre-temps", "Entrada duplicada",
          "Der Kunde wurde zwischenzeitlich geändert", "De klant is intussen gewijzigd"}},
        {VERDICT_CAUSE_NOT_FOUND,
         {"Unbekannter Lieferant", "Leverancier 7 onbekend", "Fournisseur inconnu",
          "Proveedor 7 desconocido", "Kunde 7 wurde gelöscht", "Order 7 is verwijderd",
          "Impossible de trouver la commande", "No hay registros"}},
        {VERDICT_CAUSE_UNAVAILABLE,
         {"Der Server antwortet nicht", "De server reageert niet", "Le serveur ne répond pas",
          "El servidor no responde", "Das System wird gewartet", "Tiempo de espera agotado"}},
        {VERDICT_CAUSE_CONTRACT,
         {"Das Feld 'f' ist nicht bekannt", "Het veld 'f' bestaat niet", "Le champ 'f' est inconnu",
          "El campo 'f' no existe", "Syntaxfehler in Zeile 7", "Ongeldige JSON",
          "Méthode non prise en charge", "XML no válido"}},
        {VERDICT_CAUSE_VALIDATION,
         {"Nicht genügend Bestand", "Onvoldoende voorraad", "Stock insuffisant",
          "No hay suficiente stock", "Artikel 7 ist nicht lieferbar",
          "El artículo no está disponible"}},
        {VERDICT_CAUSE_VALIDATION,
         {"Die Periode ist geschlossen", "De periode is afgesloten", "La période est clôturée",
          "El período está cerrado", "Bitte geben Sie ein Datum an", "Vul alle velden in",
          "Veuillez saisir une date", "Introduzca un valor"}},
        {VERDICT_CAUSE_AUTH, {"Ungültige Anmeldedaten", "Credenciales no válidas"}},
        {VERDICT_CAUSE_PERMISSION, {"Keine Rechte für Firma 7", "No dispone de permisos"}},
        {VERDICT_CAUSE_CONFLICT, {"Nummer 7 is al in gebruik", "Pedido 7 ya registrado"}},
        {VERDICT_CAUSE_VALIDATION,
         {"Die Adresse ist unvollständig", "Het adres is onvolledig", "Adresse incomplète",
          "Dirección incompleta", "Datum in der Vergangenheit", "Datum in het verleden"}},
        {VERDICT_CAUSE_VALIDATION,
         {"Der Text ist zu lang", "De tekst is te lang", "Le texte est trop long",
          "El texto es demasiado largo", "Kunde 7 kann nicht gelöscht werden, da Belege bestehen",
          "Klant 7 kan niet worden verwijderd omdat er orders zijn"}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(meanings[i].texts) && meanings[i].texts[j]; j++) {
            const struct meaning one = {500, "X", meanings[i].texts[j], meanings[i].cause};
            check(&one, 1);
        }
}

// Texts that have a family's word and mean something else.
static void test_near_misses(void **state)
{
    (void)state;
    static const struct meaning meanings[] = {
        {400, "X", "Das Kundenkonto ist gesperrt", VERDICT_CAUSE_VALIDATION},
        {400, "X", "Carrier with such method not found: a, b", VERDICT_CAUSE_NOT_FOUND},
        {400, "X", "The method GetItems is not supported", VERDICT_CAUSE_CONTRACT},
        {400, "X", "Required field not found", VERDICT_CAUSE_VALIDATION},
        {400, "X", "Ungültiges JSON in der Anfrage", VERDICT_CAUSE_CONTRACT},
        {400, "X", "Ungültige Nummer", VERDICT_CAUSE_VALIDATION},
        {502, NULL, "Internal server error", VERDICT_CAUSE_UNAVAILABLE},
        {500, NULL, "Internal server error", VERDICT_CAUSE_SERVER_FAULT},
        {200, "403", "Forbidden", VERDICT_CAUSE_PERMISSION},
        {500, "X", "Unauthorized", VERDICT_CAUSE_AUTH},
        {400, "UNABLE_TO_LOCK_ROW", "no exclusive access to this record", VERDICT_CAUSE_LOCKED},
        {400, "X", "Stale object: you both worked on it", VERDICT_CAUSE_CONFLICT},
        {401, "x_cannot_view", "Sorry, you cannot list resources.", VERDICT_CAUSE_PERMISSION},
        {400, "X", "Cannot query field a on type B", VERDICT_CAUSE_CONTRACT},
        {400, "X", "missing 1 required positional argument", VERDICT_CAUSE_CONTRACT},
        {400, "invalid_request", "invalid_request", VERDICT_CAUSE_CONTRACT},
        {400, "X", "The operation was canceled because it took longer than allowed",
         VERDICT_CAUSE_UNAVAILABLE},
        {400, "X", "The order was canceled by the customer", VERDICT_CAUSE_VALIDATION},
        {500, NULL, "SQL Error. ORA-20001: the number has 13 digits", VERDICT_CAUSE_VALIDATION},
        {400, "X", "Only the owner can edit this draft", VERDICT_CAUSE_PERMISSION},
        {400, "X", "Invalid card token", VERDICT_CAUSE_VALIDATION},
        {400, "X", "Invalid token", VERDICT_CAUSE_AUTH},
        {402, "X", "Insufficient balance on voucher", VERDICT_CAUSE_VALIDATION},
        {402, "insufficient_funds", NULL, VERDICT_CAUSE_VALIDATION},
        {200, "X", "Incorrect XML partner id or password.", VERDICT_CAUSE_AUTH},
        {400, "X", "A filter with incompatible types", VERDICT_CAUSE_CONTRACT},
        {409, "X", "The job is still running", VERDICT_CAUSE_LOCKED},
        {422, NULL, "The email has already been taken.", VERDICT_CAUSE_CONFLICT},
        {400, "X", "Cliente não encontrado", VERDICT_CAUSE_NOT_FOUND},
        {400, "X", "Some information on the page is not up-to-date", VERDICT_CAUSE_CONFLICT},
        {400, "X", "The attribute set is not found", VERDICT_CAUSE_NOT_FOUND},
        {400, "X", "The attribute colour is not found", VERDICT_CAUSE_CONTRACT},
        {200, "7", "invalid appid", VERDICT_CAUSE_AUTH},
        {500, "X", "The customer is not on file", VERDICT_CAUSE_NOT_FOUND},
        {400, "X", "The date falls in a closed period", VERDICT_CAUSE_VALIDATION},
        {400, "X", "Cliente non trovato", VERDICT_CAUSE_NOT_FOUND},
        {400, "X", "Couldn't find Supplier", VERDICT_CAUSE_NOT_FOUND},
        {428, "X", "If-Match header is required", VERDICT_CAUSE_CONTRACT},
        {412, "X", "The If-Match header is not up to date", VERDICT_CAUSE_CONFLICT},
        {500, NULL, "Unbekannter Fehler", VERDICT_CAUSE_SERVER_FAULT},
        {500, "X", "Das Kundenkonto ist gesperrt", VERDICT_CAUSE_VALIDATION},
        {400, "X", "Méthode de paiement non prise en charge", VERDICT_CAUSE_VALIDATION},
        {400, "X", "El valor del campo Cliente no existe", VERDICT_CAUSE_VALIDATION},
        {503, "X", "Der Dienst ist nicht verfügbar", VERDICT_CAUSE_UNAVAILABLE},
        {400, "X", "Kreditlimit überschritten", VERDICT_CAUSE_VALIDATION},
        {200, "5", "XML failed validation: Invalid payment details", VERDICT_CAUSE_VALIDATION},
    };
    check(meanings, G_N_ELEMENTS(meanings));
}

static void test_firm_statuses(void **state)
{
    (void)state;
    // a 403 is about who may do what, whatever its text says besides
    static const struct meaning meanings[] = {
        {403, NULL, "The record is invalid for you", VERDICT_CAUSE_PERMISSION},
        {401, NULL, "The item does not exist", VERDICT_CAUSE_AUTH},
        {401, NULL, "You are not authorized to access orders", VERDICT_CAUSE_PERMISSION},
        {429, NULL, "The service is unavailable", VERDICT_CAUSE_RATE_LIMIT},
        {503, NULL, "Field 7 cannot be used", VERDICT_CAUSE_UNAVAILABLE},
    };
    check(meanings, G_N_ELEMENTS(meanings));
}

static void test_what_is_known_stays(void **state)
{
    (void)state;
    g_autoptr(verdict_t) verdict = verdict_new();
    verdict->class = VERDICT_CLASS_CRYPTIC;
    verdict->cause = VERDICT_CAUSE_LOCKED;
    verdict->act = g_strdup("integrator");
    verdict->explanation = g_strdup("known");
    lexicon_apply(lexicon_common(), 404, verdict);
    assert_int_equal(verdict->cause, VERDICT_CAUSE_LOCKED);
    assert_string_equal(verdict->act, "integrator");
    assert_string_equal(verdict->explanation, "known");
    g_autoptr(verdict_t) fine = verdict_new();
    lexicon_apply(lexicon_common(), 404, fine);
    assert_int_equal(fine->cause, VERDICT_CAUSE_NONE);
    assert_null(fine->explanation);
}

static void test_context_of_a_generic_text(void **state)
{
    (void)state;
    g_autoptr(verdict_t) verdict = verdict_new();
    verdict->class = VERDICT_CLASS_CRYPTIC;
    verdict->message = g_strdup("Internal error");
    const struct lexicon_answer late = {.status = 500, .context = "Timeout processing request"};
    lexicon_apply_answer(lexicon_common(), &late, verdict);
    assert_int_equal(verdict->cause, VERDICT_CAUSE_UNAVAILABLE);
    g_autoptr(verdict_t) vague = verdict_new();
    vague->class = VERDICT_CLASS_CRYPTIC;
    vague->message = g_strdup("Unable to save product");
    lexicon_apply(lexicon_common(), 400, vague);
    assert_int_equal(vague->cause, VERDICT_CAUSE_UNKNOWN);
}

static void test_acts_are_roles(void **state)
{
    (void)state;
    static const char *const roles[] = {"erp-partner", "client", "integrator", "hosting"};
    for (int status = 0; status < 600; status += 1) {
        const struct meaning meaning = {status, "Q", "Qux quux", VERDICT_CAUSE_NONE};
        g_autoptr(verdict_t) verdict = apply(&meaning);
        bool role = false;
        for (size_t i = 0; i < G_N_ELEMENTS(roles); i++)
            role = role || g_str_equal(roles[i], verdict->act);
        assert_true(role);
        assert_int_not_equal(verdict->cause, VERDICT_CAUSE_NONE);
    }
}

// The same cause, and another rule broken: what is too long is not missing.
static void test_explains_which_rule(void **state)
{
    (void)state;
    static const struct meaning missing = {400, "X", "No. must have a value", 0},
                                longer = {400, "X", "No. must not be longer than 10 characters", 0};
    g_autoptr(verdict_t) first = apply(&missing);
    g_autoptr(verdict_t) second = apply(&longer);
    assert_int_equal(first->cause, VERDICT_CAUSE_VALIDATION);
    assert_int_equal(second->cause, VERDICT_CAUSE_VALIDATION);
    assert_non_null(strstr(first->explanation, "missing"));
    assert_null(strstr(second->explanation, "missing"));
}

static void test_words_of_failure(void **state)
{
    (void)state;
    const struct lexicon *lexicon = lexicon_common();
    assert_true(lexicon_tells_failure(lexicon, "Session expired"));
    assert_true(lexicon_tells_failure(lexicon, "import failed"));
    assert_true(lexicon_tells_failure(lexicon, "NOK"));
    assert_false(lexicon_tells_failure(lexicon, "pong"));
    assert_false(lexicon_tells_failure(lexicon, "stored 7 lines"));
    assert_false(lexicon_tells_failure(lexicon, ""));
    assert_false(lexicon_tells_failure(lexicon, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generic_texts),
        cmocka_unit_test(test_statuses_in_words),
        cmocka_unit_test(test_specific_texts),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_every_cause),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_one_cause_in_all_languages),
        cmocka_unit_test(test_one_weight_in_all_languages),
        cmocka_unit_test(test_usual_words_of_four_languages),
        cmocka_unit_test(test_near_misses),
        cmocka_unit_test(test_firm_statuses),
        cmocka_unit_test(test_what_is_known_stays),
        cmocka_unit_test(test_context_of_a_generic_text),
        cmocka_unit_test(test_acts_are_roles),
        cmocka_unit_test(test_explains_which_rule),
        cmocka_unit_test(test_words_of_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
