// SPDX-License-Identifier: MIT
// What ERPs answer in XML, and in headers, by the error tables of their
// documentation: class, cause, code and message, whatever the HTTP status.
#include "../../probes/classify.h"
#include "../../probes/lexicon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define SOAP(body)                                                                                 \
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>" body              \
    "</s:Body></s:Envelope>"
#define FAULT(code, string, detail)                                                                \
    SOAP("<s:Fault><faultcode>" code "</faultcode><faultstring xml:lang=\"en-US\">" string         \
         "</faultstring>" detail "</s:Fault>")
#define FAULT12(value, subcode, text, detail)                                                      \
    "<env:Envelope><env:Body><env:Fault><env:Code><env:Value>env:" value "</env:Value>" subcode    \
    "</env:Code><env:Reason><env:Text xml:lang=\"en\">" text "</env:Text></env:Reason>" detail     \
    "</env:Fault></env:Body></env:Envelope>"
#define NAV(class, text)                                                                           \
    FAULT("a:Microsoft.Dynamics.Nav.Types.Exceptions." class, text,                                \
          "<detail><string>" text "</string></detail>")
#define AIF(lists, infolog, type)                                                                  \
    FAULT("s:Client", "Request Failed. See the Exception Log for details.",                        \
          "<detail><AifFault><CustomDetailXml i:nil=\"true\"/><FaultMessageListArray>" lists       \
          "</FaultMessageListArray><InfologMessageList>" infolog                                   \
          "</InfologMessageList><StackTrace>at X.Call()</StackTrace>"                              \
          "<XppExceptionType>" type "</XppExceptionType></AifFault></detail>")
#define AIF_LIST(code, text)                                                                       \
    "<FaultMessageList><Document>Sales "                                                           \
    "order</Document><FaultMessageArray><FaultMessage><Code>" code "</Code><Message>" text         \
    "</Message></FaultMessage></FaultMessageArray>"                                                \
    "<Field/></FaultMessageList>"
#define INFOLOG(type, text)                                                                        \
    "<InfologMessage><InfologMessageType>" type "</InfologMessageType><Message>" text              \
    "</Message></InfologMessage>"
#define CXML(body)                                                                                 \
    "<?xml version=\"1.0\"?><!DOCTYPE cXML SYSTEM \"http://xml.cxml.org/schemas/cXML/1.2.014/"     \
    "cXML.dtd\"><cXML payloadID=\"1@shop\"><Response>" body "</Response></cXML>"
#define STATUS(code, text, content)                                                                \
    CXML("<Status code=\"" code "\" text=\"" text "\">" content "</Status>")
#define XMLRPC(code, text)                                                                         \
    "<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>faultCode</name>"    \
    "<value>" code "</value></member><member><name>faultString</name><value><string>" text         \
    "</string></value></member></struct></value></fault></methodResponse>"
#define XMLRPC_VALUE(value)                                                                        \
    "<methodResponse><params><param><value>" value "</value></param></params></methodResponse>"
#define SUITETALK(status)                                                                          \
    SOAP("<addResponse><writeResponse>" status "</writeResponse></addResponse>")

struct wanted {
    int status;
    const char *body;
    enum verdict_class class;
    enum verdict_cause cause;
    const char *code, *message;
};

static struct verdict *judge(int status, const char *type, const char *body, const char *header,
                             const char *value)
{
    g_autoptr(transfer_response_t) response = transfer_response_new();
    response->outcome = TRANSFER_ANSWERED;
    response->status = status;
    if (type)
        transfer_headers_add(response->headers, "Content-Type", type);
    if (header)
        transfer_headers_add(response->headers, header, value);
    g_bytes_unref(response->body);
    response->body = g_bytes_new(body, strlen(body));
    struct classify_input input = {.response = response, .data_due = true};
    return classify(&input, lexicon_common());
}

static void check_verdict(const struct verdict *verdict, const struct wanted *wanted)
{
    if (verdict->class != wanted->class || verdict->cause != wanted->cause ||
        g_strcmp0(verdict->code, wanted->code) != 0 ||
        g_strcmp0(verdict->message, wanted->message) != 0)
        fail_msg("%s\nis %s, %s, %s: %s", wanted->body, verdict_class_word(verdict->class),
                 verdict_cause_word(verdict->cause), verdict->code, verdict->message);
}

static void check(const struct wanted *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autoptr(verdict_t) verdict =
            judge(wanted[i].status, "text/xml", wanted[i].body, NULL, NULL);
        check_verdict(verdict, &wanted[i]);
    }
}

#define CHECK(cases) check(cases, G_N_ELEMENTS(cases))
#define SAYS VERDICT_CLASS_ERROR_CODE
#define CRYPTIC VERDICT_CLASS_CRYPTIC
#define CAUSE(name) VERDICT_CAUSE_##name

static void test_aif(void **state)
{
    (void)state;
    static const struct wanted cases[] = {
        {500,
         AIF(AIF_LIST("", "Customer US-999 does not exist."),
             INFOLOG("Error", "Update has been canceled."), ""),
         SAYS, CAUSE(NOT_FOUND), "s:Client", "Customer US-999 does not exist."},
        {500,
         AIF(AIF_LIST("ValidationFailed", "Validation failed.")
                 AIF_LIST("MandatoryField", "Field Currency must be filled in."),
             "", ""),
         SAYS, CAUSE(VALIDATION), "MandatoryField", "Field Currency must be filled in."},
        {500,
         AIF("",
             INFOLOG("Info", "Posting") INFOLOG("Warning", "Inventory dimension Site is mandatory.")
                 INFOLOG("Error", "Update has been canceled."),
             ""),
         SAYS, CAUSE(VALIDATION), "s:Client", "Inventory dimension Site is mandatory."},
        {500, AIF("", "", "Deadlock"), CRYPTIC, CAUSE(LOCKED), "s:Client",
         "Request Failed. See the Exception Log for details."},
        {500, AIF(AIF_LIST("", "Dead lock detected."), "", ""), SAYS, CAUSE(LOCKED), "s:Client",
         "Dead lock detected."},
        {200,
         "<Fault><Code>RequestFailed</Code><Message>Request Failed. See the Exception Log for "
         "details.</Message></Fault>",
         CRYPTIC, CAUSE(UNKNOWN), "RequestFailed",
         "Request Failed. See the Exception Log for details."},
    };
    CHECK(cases);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct wanted cases[] = {
        {500, NAV("NavTestFieldException", "Posting Group must have a value in Customer: No.=1."),
         SAYS, CAUSE(VALIDATION), "NavTestFieldException",
         "Posting Group must have a value in Customer: No.=1."},
        {500, NAV("NavTenantNotAccessibleException", "The tenant 'default' is not accessible."),
         SAYS, CAUSE(UNAVAILABLE), "NavTenantNotAccessibleException",
         "The tenant 'default' is not accessible."},
        {500, FAULT("s:Client", "An exception occurred.", ""), CRYPTIC, CAUSE(SERVER_FAULT),
         "s:Client", "An exception occurred."},
        {500,
         FAULT("s:Client",
               "Error Number = 4776  Stored Procedure = taSopLineIvcInsert  Error Description = "
               "Item does not allow back orders",
               ""),
         SAYS, CAUSE(VALIDATION), "4776",
         "Error Number = 4776  Stored Procedure = taSopLineIvcInsert  Error Description = Item "
         "does not allow back orders"},
        {500,
         FAULT("a:InternalServiceFault",
               "The server was unable to process the request due to an internal error.  For more "
               "information about the error, turn on tracing.",
               ""),
         CRYPTIC, CAUSE(SERVER_FAULT), "a:InternalServiceFault",
         "The server was unable to process the request due to an internal error.  For more "
         "information about the error, turn on tracing."},
        {500,
         FAULT("a:InternalServiceFault", "Object reference not set to an instance of an object.",
               "<detail><ExceptionDetail><InnerException><InnerException><Message>Invalid column "
               "name CardCode2.</Message></InnerException><Message>Exception has been thrown by "
               "the target of an invocation.</Message></InnerException></ExceptionDetail>"
               "</detail>"),
         SAYS, CAUSE(CONTRACT), "a:InternalServiceFault", "Invalid column name CardCode2."},
        {500,
         FAULT("s:Client", "The creator of this fault did not specify a Reason.",
               "<detail><ServiceFault><ErrorCode>1042</ErrorCode><ErrorMessage>Customer C-1 is on "
               "credit hold</ErrorMessage></ServiceFault></detail>"),
         SAYS, CAUSE(VALIDATION), "1042", "Customer C-1 is on credit hold"},
        {500, FAULT("b:OrderRule", "Lieferart unpassend gewählt", ""), SAYS, CAUSE(VALIDATION),
         "b:OrderRule", "Lieferart unpassend gewählt"},
        {500, FAULT("s:Server", "Lieferkennzeichen unpassend gewählt", ""), SAYS,
         CAUSE(SERVER_FAULT), "s:Server", "Lieferkennzeichen unpassend gewählt"},
        {400,
         FAULT12("Sender", "<env:Subcode><env:Value>m:NoLines</env:Value></env:Subcode>",
                 "Order 7 is missing its lines", ""),
         SAYS, CAUSE(VALIDATION), "m:NoLines", "Order 7 is missing its lines"},
        {200,
         FAULT12("Receiver", "", "Processing error",
                 "<env:Detail><Err><code>P5293</code><text>Item 4711 is blocked</text></Err>"
                 "</env:Detail>"),
         SAYS, CAUSE(VALIDATION), "P5293", "Item 4711 is blocked"},
        {500,
         "<s:Fault><faultcode>s:Client</faultcode><faultstring>No order 7 found</faultstring>"
         "</s:Fault>",
         SAYS, CAUSE(NOT_FOUND), "s:Client", "No order 7 found"},
    };
    CHECK(cases);
}

// Dynamics GP: the list of what is wrong is fetched by the GUID of its log.
static void test_log_ids(void **state)
{
    (void)state;
#define GUID "8c7b1f4e-0f0c-4a26-8d7a-2f6b0a4e1f77"
    static const struct {
        const char *body, *name;
    } cases[] = {
        {FAULT("s:Client", "A business object validation error has occurred.",
               "<detail><Id>" GUID "</Id></detail>"),
         "log-id"},
        {FAULT("s:Client", "Validation failed. The log id is " GUID ".", ""), "log id"},
        {FAULT("s:Client", "Validation failed, exception GUID: {" GUID "}", ""), "exception GUID"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(verdict_t) verdict = judge(500, "text/xml", cases[i].body, NULL, NULL);
        const char *id = json_text(verdict->correlation, cases[i].name);
        if (g_strcmp0(id, GUID) != 0)
            fail_msg("%s: %s", cases[i].name, id);
    }
}

static void test_suitetalk(void **state)
{
    (void)state;
    static const struct wanted cases[] = {
        {200,
         SUITETALK("<p:status isSuccess=\"false\"><p:statusDetail type=\"WARN\"><p:code>WARNING"
                   "</p:code><p:message>Deprecated</p:message></p:statusDetail><p:statusDetail "
                   "type=\"ERROR\"><p:code>INVALID_KEY_OR_REF</p:code><p:message>Invalid "
                   "subsidiary reference key 9.</p:message></p:statusDetail></p:status>"),
         SAYS, CAUSE(VALIDATION), "INVALID_KEY_OR_REF", "Invalid subsidiary reference key 9."},
        {200,
         SUITETALK("<status isSuccess=\"true\"><statusDetail type=\"WARN\"><code>W</code><message>"
                   "There was an error in the format</message></statusDetail></status>"),
         VERDICT_CLASS_OK, CAUSE(NONE), NULL, NULL},
        {500,
         FAULT("soapenv:Server.userException", "Permission Violation",
               "<detail><f:insufficientPermissionFault><f:code>INSUFFICIENT_PERMISSION</f:code>"
               "<f:message>You need the Customers permission.</f:message>"
               "</f:insufficientPermissionFault></detail>"),
         SAYS, CAUSE(PERMISSION), "INSUFFICIENT_PERMISSION", "You need the Customers permission."},
    };
    CHECK(cases);
}

static void test_xmlrpc(void **state)
{
    (void)state;
    static const struct wanted cases[] = {
        {200, XMLRPC("<int>3</int>", "Access Denied"), SAYS, CAUSE(AUTH), "3", "Access Denied"},
        {200, XMLRPC("<int>4</int>", "Zugang nur nach Freigabe"), SAYS, CAUSE(PERMISSION), "4",
         "Zugang nur nach Freigabe"},
        {200,
         XMLRPC("<int>1</int>", "Traceback (most recent call last):\n  File \"x.py\", line 1\n"
                                "odoo.exceptions.ValidationError: The partner has no address\n"),
         SAYS, CAUSE(VALIDATION), "1",
         "odoo.exceptions.ValidationError: The partner has no address"},
        {200,
         XMLRPC("1", "Traceback (most recent call last):\n  File \"x.py\", line 1\n"
                     "KeyError: 'sale_order'"),
         CRYPTIC, CAUSE(SERVER_FAULT), "1", "KeyError: 'sale_order'"},
        {200, XMLRPC("<i4>-32601</i4>", "Methode unbekannt"), SAYS, CAUSE(CONTRACT), "-32601",
         "Methode unbekannt"},
        {200, XMLRPC_VALUE("<boolean>0</boolean>"), CRYPTIC, CAUSE(AUTH), NULL, NULL},
        {200, XMLRPC_VALUE("<boolean>1</boolean>"), VERDICT_CLASS_OK, CAUSE(NONE), NULL, NULL},
        {200, XMLRPC_VALUE("<int>0</int>"), VERDICT_CLASS_OK, CAUSE(NONE), NULL, NULL},
    };
    CHECK(cases);
}

// False is what the flow says that it is.
static void test_false(void **state)
{
    (void)state;
    static const char body[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":false}";
    g_autoptr(verdict_t) refused = judge(200, "application/json", body, NULL, NULL);
    assert_int_equal(refused->class, VERDICT_CLASS_CRYPTIC);
    assert_int_equal(refused->cause, VERDICT_CAUSE_AUTH);
    g_autoptr(transfer_response_t) response = transfer_response_new();
    response->outcome = TRANSFER_ANSWERED;
    response->status = 200;
    g_bytes_unref(response->body);
    response->body = g_bytes_new_static(body, sizeof body - 1);
    struct classify_input input = {.response = response, .expectations_given = true};
    g_autoptr(verdict_t) wanted = classify(&input, lexicon_common());
    assert_int_equal(wanted->class, VERDICT_CLASS_OK);
    input.failed_expectation = "$.result type integer: was false";
    g_autoptr(verdict_t) failed = classify(&input, lexicon_common());
    assert_int_equal(failed->class, VERDICT_CLASS_CRYPTIC);
    assert_int_equal(failed->cause, VERDICT_CAUSE_AUTH);
    assert_string_equal(failed->failed_expectation, input.failed_expectation);
}

static void test_cxml(void **state)
{
    (void)state;
    static const struct wanted cases[] = {
        {200, STATUS("401", "Unauthorized", ""), SAYS, CAUSE(AUTH), "401", "Unauthorized"},
        {200, STATUS("402", "Payment Required", "Complete payment element needed"), SAYS,
         CAUSE(VALIDATION), "402", "Complete payment element needed"},
        {200, STATUS("406", "Not Acceptable", "Zeile 7"), SAYS, CAUSE(CONTRACT), "406", "Zeile 7"},
        {200, STATUS("450", "Not Implemented", ""), SAYS, CAUSE(CONTRACT), "450",
         "Not Implemented"},
        {200, STATUS("475", "Signature Required", ""), SAYS, CAUSE(CONTRACT), "475",
         "Signature Required"},
        {200, STATUS("476", "Signature Verification Failed", ""), SAYS, CAUSE(AUTH), "476",
         "Signature Verification Failed"},
        {200, STATUS("551", "Unable to forward request", ""), SAYS, CAUSE(CONTRACT), "551",
         "Unable to forward request"},
        {200, STATUS("560", "Temporary server error", ""), SAYS, CAUSE(UNAVAILABLE), "560",
         "Temporary server error"},
        {200, STATUS("9999", "Odd", "Kaputte Regel"), SAYS, CAUSE(VALIDATION), "9999",
         "Kaputte Regel"},
        {500, STATUS("500", "Internal Server Error", "Session creation failed."), CRYPTIC,
         CAUSE(SERVER_FAULT), "500", "Session creation failed."},
        {200,
         CXML("<PunchOutSetupResponse><StartPage><URL>https://x/</URL></StartPage>"
              "</PunchOutSetupResponse>"),
         CRYPTIC, CAUSE(CONTRACT), NULL, NULL},
        {200, CXML(""), CRYPTIC, CAUSE(CONTRACT), NULL, NULL},
        {200, STATUS("200", "OK", "no error"), VERDICT_CLASS_OK, CAUSE(NONE), NULL, NULL},
        {200, STATUS("201", "Accepted", "errors follow by mail"), VERDICT_CLASS_OK, CAUSE(NONE),
         NULL, NULL},
        {200, STATUS("281", "", ""), VERDICT_CLASS_OK, CAUSE(NONE), NULL, NULL},
        {200, "<cXML><Message><PunchOutOrderMessage/></Message></cXML>", VERDICT_CLASS_OK,
         CAUSE(NONE), NULL, NULL},
    };
    CHECK(cases);
}

static void test_others(void **state)
{
    (void)state;
    static const struct wanted cases[] = {
        {200,
         "<SalesOrderResponse><APIResponseStatus><Code>SYS-0042</Code><Message/><ErrorText>Invalid "
         "token</ErrorText></APIResponseStatus></SalesOrderResponse>",
         SAYS, CAUSE(AUTH), "SYS-0042", "Invalid token"},
        {200, "<X><APIResponseStatus><Code>FAIL</Code></APIResponseStatus></X>", CRYPTIC,
         CAUSE(UNKNOWN), "FAIL", NULL},
        {200,
         SOAP("<Order.Response><RETURN><item><TYPE>S</TYPE><ID>V1</ID><NUMBER>311</NUMBER>"
              "<MESSAGE>Saved</MESSAGE></item><item><TYPE>E</TYPE><ID>V1</ID><NUMBER>302</NUMBER>"
              "<MESSAGE>Sold-to party 17 is not defined</MESSAGE></item></RETURN>"
              "</Order.Response>"),
         SAYS, CAUSE(VALIDATION), "V1/302", "Sold-to party 17 is not defined"},
        {200, "<errors><error>Unknown customer X</error></errors>", SAYS, CAUSE(NOT_FOUND), NULL,
         "Unknown customer X"},
        {400,
         "<problem><type>https://x/p</type><title>Out of stock</title><detail>Item 7 is out of "
         "stock</detail><status>400</status></problem>",
         SAYS, CAUSE(VALIDATION), "400", "Item 7 is out of stock"},
        {200, "<response><header><a/></header><error>Token has expired</error></response>", SAYS,
         CAUSE(AUTH), NULL, "Token has expired"},
        // Answers inside answers.
        {200,
         "<string xmlns=\"http://tempuri.org/\">&lt;Response&gt;&lt;Error&gt;&lt;Code&gt;17&lt;"
         "/Code&gt;&lt;Message&gt;Customer not found&lt;/Message&gt;&lt;/Error&gt;&lt;/"
         "Response&gt;</string>",
         SAYS, CAUSE(NOT_FOUND), "17", "Customer not found"},
        {200,
         SOAP("<SendResponse><SendResult><![CDATA[{\"Success\":false,\"Message\":\"Customer not "
              "found\"}]]></SendResult></SendResponse>"),
         SAYS, CAUSE(NOT_FOUND), NULL, "Customer not found"},
        {200,
         "{\"d\":\"{\\\"error\\\":{\\\"code\\\":\\\"E7\\\",\\\"message\\\":\\\"Too long"
         "\\\"}}\"}",
         SAYS, CAUSE(VALIDATION), "E7", "Too long"},
        {200,
         "<br />\n<b>Warning</b>: x in /a.php on line 3<br />\n<?xml version=\"1.0\"?><error>"
         "<code>7</code><message>Customer not found</message></error>",
         SAYS, CAUSE(NOT_FOUND), "7", "Customer not found"},
    };
    CHECK(cases);
}

// Successes that hold the word error, or an error of something else.
static void test_successes(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        SOAP("<ReadResult><Order><No>1</No><Status>Error</Status><Text>Error cable</Text></Order>"
             "</ReadResult>"),
        SOAP("<r><Result><ErrorCode>0</ErrorCode><ErrorMessage/><No>17</No></Result></r>"),
        SOAP("<r><RETURN><item><TYPE>W</TYPE><MESSAGE>error in text</MESSAGE></item></RETURN></r>"),
        "<r><error>0</error><errors/></r>",
        "<r><error>No error</error></r>",
        "<r><error>false</error></r>",
        "<X><APIResponseStatus><Code>OK</Code><Message>error free</Message></APIResponseStatus>"
        "</X>",
        "<string>{\"lines\":[],\"errors\":[]}</string>",
        "<orders><order><log>{\"error\":{\"message\":\"Customer not found\"}}</log></order>"
        "<order/></orders>",
        "<methodResponse><params><param><value><array><data><value><boolean>0</boolean></value>"
        "</data></array></value></param></params></methodResponse>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autoptr(verdict_t) verdict = judge(200, "text/xml", bodies[i], NULL, NULL);
        if (verdict->class != VERDICT_CLASS_OK)
            fail_msg("%s\nis called %s: %s", bodies[i], verdict->code, verdict->message);
    }
}

static void test_headers(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *name, *value, *body;
        enum verdict_class class;
        enum verdict_cause cause;
        const char *code, *message;
    } cases[] = {
        {401, "WWW-Authenticate",
         "Bearer realm=\"x, error=none\", error=\"invalid_token\", error_description=\"The access "
         "token has \\\"expired\\\"\"",
         "", SAYS, CAUSE(AUTH), "invalid_token", "The access token has \"expired\""},
        {403, "www-authenticate", "Bearer error=insufficient_scope, scope=\"a b\"", "", SAYS,
         CAUSE(PERMISSION), "insufficient_scope", NULL},
        {401, "WWW-Authenticate", "Bearer error=\"invalid_token\"", "<html><h1>401</h1></html>",
         SAYS, CAUSE(AUTH), "invalid_token", "401"},
        {401, "WWW-Authenticate", "OAuth oauth_problem=\"timestamp_refused\"", "", SAYS,
         CAUSE(AUTH), "timestamp_refused", NULL},
        {401, "WWW-Authenticate", "Basic realm=\"error\"", "", CRYPTIC, CAUSE(AUTH), NULL, NULL},
        {403, "reason", "NoDivisionAccess",
         "{\"error\":{\"code\":\"\",\"message\":{\"lang\":\"\",\"value\":\"Forbidden\"}}}", SAYS,
         CAUSE(PERMISSION), "NoDivisionAccess", "Forbidden"},
        {403, "reason", "BlockedUser", "", SAYS, CAUSE(AUTH), "BlockedUser", NULL},
        {403, "reason", "LicenseExpired", "", SAYS, CAUSE(LICENSE), "LicenseExpired", NULL},
        {500, "X-PROFIT-ERROR", "De ingevulde waarde bij 'Artikel' bestaat niet.", "", SAYS,
         CAUSE(VALIDATION), NULL, "De ingevulde waarde bij 'Artikel' bestaat niet."},
        {400, "x-error-code", "E1", "{\"error\":{\"code\":\"E2\",\"message\":\"Item 7 missing\"}}",
         SAYS, CAUSE(VALIDATION), "E2", "Item 7 missing"},
        {200, "reason", "OK", "{}", VERDICT_CLASS_OK, CAUSE(NONE), NULL, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct wanted wanted = {cases[i].status, cases[i].value, cases[i].class,
                                      cases[i].cause,  cases[i].code,  cases[i].message};
        g_autoptr(verdict_t) verdict = judge(cases[i].status, "application/json", cases[i].body,
                                             cases[i].name, cases[i].value);
        check_verdict(verdict, &wanted);
    }
}

static void test_token_endpoints(void **state)
{
    (void)state;
    static const struct wanted cases[] = {
        {401,
         "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client "
         "secret provided.\"}",
         SAYS, CAUSE(AUTH), "AADSTS7000215", "AADSTS7000215: Invalid client secret provided."},
        {400,
         "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS65001: The user has not "
         "consented.\"}",
         SAYS, CAUSE(PERMISSION), "AADSTS65001", "AADSTS65001: The user has not consented."},
        {400, "{\"error\":\"invalid_scope\"}", SAYS, CAUSE(CONTRACT), "invalid_scope",
         "invalid_scope"},
        {401,
         "{\"error\":\"unauthorized_client\",\"error_description\":\"Old refresh token used.\"}",
         SAYS, CAUSE(AUTH), "unauthorized_client", "Old refresh token used."},
        {401, "oauth_problem=nonce_used", SAYS, CAUSE(AUTH), "nonce_used", "nonce_used"},
        {403, "oauth_problem=permission_unknown", SAYS, CAUSE(PERMISSION), "permission_unknown",
         "permission_unknown"},
        {400, "oauth_problem=parameter_absent&oauth_parameters_absent=oauth_nonce", SAYS,
         CAUSE(CONTRACT), "parameter_absent", "parameter_absent"},
        {401, "oauth_problem=The+signature+is+invalid.%20Verify+and+try+again.", SAYS, CAUSE(AUTH),
         "The signature is invalid. Verify and try again.",
         "The signature is invalid. Verify and try again."},
    };
    CHECK(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aif),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_suitetalk),
        cmocka_unit_test(test_log_ids),
        cmocka_unit_test(test_xmlrpc),
        cmocka_unit_test(test_false),
        cmocka_unit_test(test_cxml),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_successes),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_token_endpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
