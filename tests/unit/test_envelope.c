// SPDX-License-Identifier: MIT
// envelope: each shape, its code and its text, and what is no failure.
#include "../../probes/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct shape_case {
    const char *name, *body, *code, *message;
};

// Reads it, and takes the quick looks too: they never differ.
static struct envelope *read_text(const char *body)
{
    struct envelope *envelope = envelope_read(body, strlen(body), NULL, NULL, NULL);
    g_autoptr(cJSON) document = json_parse(body, strlen(body), NULL);
    if (document && envelope_says_failure(document, NULL) != envelope->failure)
        fail_msg("the quick look differs: %s", body);
    bool doubtful = envelope->failure || envelope->suspect || envelope->refusal;
    if (document && envelope_is_clear(document, NULL) == doubtful)
        fail_msg("the quick look for doubts differs: %s", body);
    return envelope;
}

static void check(const struct shape_case *cases, size_t count, bool failure)
{
    for (size_t i = 0; i < count; i++) {
        g_autoptr(envelope_t) envelope = read_text(cases[i].body);
        if (g_strcmp0(envelope->code, cases[i].code) != 0 ||
            g_strcmp0(envelope->message, cases[i].message) != 0 || envelope->failure != failure)
            fail_msg("%s: code %s, message %s, failure %d", cases[i].name, envelope->code,
                     envelope->message, envelope->failure);
    }
}

static void test_odata(void **state)
{
    (void)state;
    static const struct shape_case cases[] = {
        {"v2", "{\"error\":{\"code\":\"AB/1\",\"message\":{\"lang\":\"en\",\"value\":\"No tax\"}}}",
         "AB/1", "No tax"},
        {"v2 number",
         "{\"error\":{\"code\":-12,\"message\":{\"lang\":\"en-us\",\"value\":\"No tax\"}}}", "-12",
         "No tax"},
        {"v3", "{\"odata.error\":{\"code\":\"X_Y\",\"message\":{\"value\":\"No tax\"}}}", "X_Y",
         "No tax"},
        {"v4", "{\"error\":{\"code\":\"X_Y\",\"message\":\"No tax\",\"details\":[]}}", "X_Y",
         "No tax"},
        {"v2 wrapped", "{\"d\":{\"error\":{\"code\":\"X_Y\",\"text\":\"No tax\"}}}", "X_Y",
         "No tax"},
        {"v4 details",
         "{\"error\":{\"code\":\"X_Y\",\"message\":\"An error occurred.\",\"details\":[{\"code\":"
         "\"D1\",\"message\":\"No tax group\"}]}}",
         "D1", "No tax group"},
        {"innererror",
         "{\"error\":{\"code\":\"\",\"message\":\"An error has occurred.\",\"innererror\":{"
         "\"message\":\"Write failed for table row. Infolog: Error: No tax group.\",\"type\":"
         "\"A.B.WriteException\",\"stacktrace\":\"at A.B()\"}}}",
         NULL, "Write failed for table row. Infolog: Error: No tax group."},
        {"internalexception",
         "{\"error\":{\"code\":\"\",\"message\":\"An error has occurred.\",\"innererror\":{"
         "\"message\":\"An error has occurred.\",\"internalexception\":{\"message\":\"No tax "
         "group is set\"}}}}",
         NULL, "No tax group is set"},
        {"errordetails",
         "{\"error\":{\"code\":\"/IWBEP/CX_MGW_BUSI_EXCEPTION\",\"message\":{\"value\":\"An "
         "exception was raised\"},\"innererror\":{\"errordetails\":[{\"code\":\"ZX/138\","
         "\"message\":\"Address 12 is unknown\"},{\"code\":\"/IWBEP/CX_MGW_BUSI_EXCEPTION\","
         "\"message\":\"An exception was raised\"}]}}}",
         "ZX/138", "Address 12 is unknown"},
        {"XML",
         "<m:error xmlns:m=\"urn:m\"><m:code>C1</m:code><m:message xml:lang=\"en-US\">No tax"
         "</m:message></m:error>",
         "C1", "No tax"},
        {"line break in a string", "{\"error\":{\"code\":\"X_Y\",\"message\":\"No\n tax\"}}", "X_Y",
         "No  tax"},
    };
    check(cases, G_N_ELEMENTS(cases), true);
}

static void test_rpc(void **state)
{
    (void)state;
    static const struct shape_case cases[] = {
        {"json-rpc",
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"Argument x is "
         "no list\"}}",
         "-32602", "Argument x is no list"},
        {"odoo",
         "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":200,\"message\":\"Odoo Server Error\",\"data\":"
         "{\"name\":\"odoo.exceptions.UserError\",\"message\":\"Not in draft\",\"debug\":"
         "\"Traceback (most recent call last):\"}}}",
         "odoo.exceptions.UserError", "Not in draft"},
        {"odoo without a text",
         "{\"error\":{\"code\":200,\"message\":\"Odoo Server Error\",\"data\":{\"name\":\"a.B\","
         "\"message\":\"\",\"debug\":\"Traceback x\"}}}",
         "a.B", "Odoo Server Error"},
        {"tryton", "{\"id\":1,\"error\":[\"UserError\",[\"No party is given.\",\"\",null]]}",
         "UserError", "No party is given."},
        {"tryton text", "{\"id\":1,\"error\":[\"UserError\",\"No party is given.\"]}", "UserError",
         "No party is given."},
        {"tryton warning",
         "{\"id\":1,\"error\":[\"UserWarning\",[\"sale_1\",\"The price changed a lot.\",\"\"]]}",
         "UserWarning", "The price changed a lot."},
        {"xml-rpc",
         "<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>faultCode"
         "</name><value><int>3</int></value></member><member><name>faultString</name><value>"
         "<string>Access Denied</string></value></member></struct></value></fault>"
         "</methodResponse>",
         "3", "Access Denied"},
    };
    check(cases, G_N_ELEMENTS(cases), true);
}

static void test_soap(void **state)
{
    (void)state;
#define SOAP(fault)                                                                                \
    "<s:Envelope xmlns:s=\"urn:s\"><s:Body><s:Fault>" fault "</s:Fault></s:Body></s:Envelope>"
    static const struct shape_case cases[] = {
        {"1.1",
         SOAP("<faultcode>s:Client</faultcode><faultstring>No header X &lt;y&gt;"
              "</faultstring><detail/>"),
         "s:Client", "No header X <y>"},
        {"1.2",
         SOAP("<s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>m:BadSku</s:Value>"
              "</s:Subcode></s:Code><s:Reason><s:Text xml:lang=\"en\">SKU 7 is unknown</s:Text>"
              "</s:Reason>"),
         "m:BadSku", "SKU 7 is unknown"},
        {"NAV",
         SOAP("<faultcode xmlns:a=\"urn:e\">a:Microsoft.Dynamics.Nav.Types.Exceptions."
              "NavTestFieldException</faultcode><faultstring xml:lang=\"en-US\">No. must have a "
              "value</faultstring>"),
         "NavTestFieldException", "No. must have a value"},
        {"detail decides",
         SOAP("<faultcode>s:Server.userException</faultcode><faultstring>An error occurred."
              "</faultstring><detail><p:x xmlns:p=\"urn:p\"><p:code>NO_SUCH</p:code><p:message>"
              "Item 7 is unknown</p:message></p:x></detail>"),
         "NO_SUCH", "Item 7 is unknown"},
        {"suitetalk",
         "<e:Envelope><e:Body><addResponse><writeResponse><c:status isSuccess=\"false\">"
         "<c:statusDetail type=\"ERROR\"><c:code>NO_SUCH</c:code><c:message>Item 7 is unknown"
         "</c:message></c:statusDetail></c:status></writeResponse></addResponse></e:Body>"
         "</e:Envelope>",
         "NO_SUCH", "Item 7 is unknown"},
    };
#undef SOAP
    check(cases, G_N_ELEMENTS(cases), true);
}

static void test_other_xml(void **state)
{
    (void)state;
    static const struct shape_case cases[] = {
        {"cXML",
         "<?xml version=\"1.0\"?><!DOCTYPE cXML SYSTEM \"http://x/c.dtd\"><cXML "
         "payloadID=\"1@x\"><Response><Status code=\"406\" text=\"Not Acceptable\">\n Line 1 "
         "has no unit\n</Status></Response></cXML>",
         "406", "Line 1 has no unit"},
        {"cXML text",
         "<cXML><Response><Status code='500' text='Order 7 was cancelled'/></Response></cXML>",
         "500", "Order 7 was cancelled"},
        {"gateway", "<reply><error code=\"5\"><![CDATA[Card <7> is unknown]]></error></reply>", "5",
         "Card <7> is unknown"},
        {"sdata",
         "<sdata:diagnosis><sdata:sdataCode>NoKind</sdata:sdataCode><sdata:message>Kind x "
         "is unknown</sdata:message></sdata:diagnosis>",
         "NoKind", "Kind x is unknown"},
        {"deep",
         "<response><operation><result><status>failure</status><errormessage><error>"
         "<errorno>BL01</errorno><description></description><description2>No such vendor"
         "</description2></error></errormessage></result></operation></response>",
         "BL01", "No such vendor"},
    };
    check(cases, G_N_ELEMENTS(cases), true);
}

static void test_json_families(void **state)
{
    (void)state;
    static const struct shape_case cases[] = {
        {"oauth", "{\"error\":\"invalid_grant\",\"error_description\":\"The token is too old\"}",
         "invalid_grant", "The token is too old"},
        {"error text", "{\"error\":\"Order 7 is unknown\"}", NULL, "Order 7 is unknown"},
        {"netsuite",
         "{\"type\":\"https://x/y\",\"title\":\"Bad Request\",\"status\":400,\"o:errorDetails\":[{"
         "\"detail\":\"Enter a name\",\"o:errorCode\":\"NO_NAME\"}]}",
         "NO_NAME", "Enter a name"},
        {"graphql",
         "{\"errors\":[{\"message\":\"Cart 7 is unknown\",\"extensions\":{\"category\":\"no-cart\"}"
         "}],\"data\":{\"cart\":null}}",
         "no-cart", "Cart 7 is unknown"},
        {"user errors",
         "{\"data\":{\"addItem\":{\"user_errors\":[{\"code\":\"NO_ITEM\",\"message\":\"Item 7 is "
         "unknown\"}]}}}",
         "NO_ITEM", "Item 7 is unknown"},
        {"errors as texts", "{\"errors\":[\"Item 7 is unknown\"]}", NULL, "Item 7 is unknown"},
        {"errors by field",
         "{\"title\":\"One or more validation errors occurred.\",\"status\":400,"
         "\"errors\":{\"name\":[\"The name is too long\"]}}",
         "400", "The name is too long"},
        {"frappe",
         "{\"exc_type\":\"LinkError\",\"_server_messages\":\"[\\\"{\\\\\\\"message\\\\\\\": "
         "\\\\\\\"Item <b>7</b> is unknown\\\\\\\"}\\\"]\"}",
         "LinkError", "Item 7 is unknown"},
        {"frappe exception", "{\"exception\":\"a.b.LinkError: Item 7 is unknown\"}",
         "a.b.LinkError", "Item 7 is unknown"},
        {"afas", "{\"externalMessage\":\"Artikel 7 is onbekend\",\"errorNumber\":-21}", "-21",
         "Artikel 7 is onbekend"},
        {"servicestack",
         "{\"ResponseStatus\":{\"ErrorCode\":\"NoItem\",\"Message\":\"Item 7 is unknown\"}}",
         "NoItem", "Item 7 is unknown"},
        {"list",
         "[{\"$severity\":\"error\",\"$dataCode\":\"NoItem\",\"$message\":\"Item 7 is "
         "unknown\"}]",
         "NoItem", "Item 7 is unknown"},
        {"list of codes", "[{\"errorCode\":\"44\",\"errorMessage\":\"The card is too old\"}]", "44",
         "The card is too old"},
        {"bare", "{\"code\":100,\"message\":\"The cart is too old\"}", "100",
         "The cart is too old"},
        {"problem",
         "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":"
         "\"Name is too long\"}",
         "400", "Name is too long"},
        {"refused",
         "{\"resultCode\":\"Refused\",\"refusalReason\":\"Refused\",\"additionalData\":{"
         "\"refusalReasonRaw\":\"05: Do not honour\"}}",
         "Refused", "05: Do not honour"},
        {"bare code", "{\"TransactionStatus\":false,\"Errors\":\"V61\"}", "V61", NULL},
        {"gateway",
         "{\"fault\":{\"faultstring\":\"No proxy for host x\",\"detail\":{\"errorcode\":"
         "\"flow.NoProxy\"}}}",
         "flow.NoProxy", "No proxy for host x"},
        {"success is false", "{\"success\":false,\"message\":\"Item 7 is unknown\"}", NULL,
         "Item 7 is unknown"},
        {"status word", "{\"status\":\"error\",\"message\":\"Item 7 is unknown\"}", NULL,
         "Item 7 is unknown"},
        {"batch",
         "{\"responses\":[{\"id\":\"1\",\"status\":400,\"body\":{\"error\":{\"code\":\"C1\","
         "\"message\":\"Item 7 is unknown\"}}}]}",
         "C1", "Item 7 is unknown"},
        {"wrapped",
         "{\"response\":{\"errors\":[{\"code\":\"C1\",\"message\":\"Item 7 is unknown\"}]}}", "C1",
         "Item 7 is unknown"},
    };
    check(cases, G_N_ELEMENTS(cases), true);
}

static void test_payments(void **state)
{
    (void)state;
    static const struct shape_case cases[] = {
        {"pairs declined", "response=2&responsetext=DECLINE&response_code=200", "200", "DECLINE"},
        {"pairs error", "response=3&responsetext=Not+logged+in&response_code=300", "300",
         "Not logged in"},
        {"state and detail",
         "Version=2\nStatus=NOTAUTHED\nStatusDetail=Not authorised by the bank.", "NOTAUTHED",
         "Not authorised by the bank."},
        {"messages of a result",
         ("{\"messages\":{\"resultCode\":\"Error\",\"message\":[{\"code\":\"E7\",\"text\":\"No "
          "such "
          "card\"}]}}"),
         "E7", "No such card"},
        {"messages in XML",
         ("<R><messages><resultCode>Error</resultCode><message><code>E7</code><text>No such card"
          "</text></message></messages></R>"),
         "E7", "No such card"},
        {"errors with codes",
         ("{\"transaction\":{\"state\":\"2\",\"errors\":[{\"errorCode\":\"9\",\"errorText\":\"The "
          "card "
          "has expired\"}]},\"messages\":{\"resultCode\":\"Ok\"}}"),
         "9", "The card has expired"},
        {"what the bank said",
         ("<s><reply><order><payment><last>REFUSED</last><ISO8583ReturnCode code=\"5\" "
          "description=\"REFUSED\"/></payment></order></reply></s>"),
         "5", "REFUSED"},
        {"three digits",
         ("<o response='0' message='Valid Format'><a><response>110</response><message>Insufficient "
          "Funds</message></a></o>"),
         "110", "Insufficient Funds"},
        {"its frame", "<o response='1' message='Error validating data, line 8'/>", "1",
         "Error validating data, line 8"},
        {"a reason",
         "{\"status_details\":{\"error\":{\"type\":\"invalid_card\",\"reason\":{\"id\":3,"
         "\"description\":\"CARD IS INVALID\"}}}}",
         "invalid_card", "CARD IS INVALID"},
        {"attributes", "<n NCSTATUS=\"5\" NCERROR=\"50001\" NCERRORPLUS=\"no order\"/>", "50001",
         "no order"},
        {"an issuer's answer",
         ("<s><reply><order><payment><last>REFUSED</last><IssuerResponseCode code=\"61\" "
          "description=\"Above the limit\"/></payment></order></reply></s>"),
         "61", "Above the limit"},
        {"not approved",
         ("<Envelope><Body><Result><Error_Number>0</Error_Number><Transaction_Approved>false"
          "</Transaction_Approved><Bank_Resp_Code>13</Bank_Resp_Code><Bank_Message>AMOUNT ERR"
          "</Bank_Message></Result></Body></Envelope>"),
         "13", "AMOUNT ERR"},
        {"a decision",
         ("<Envelope><Body><reply><decision>REJECT</decision><reasonCode>102</reasonCode></reply>"
          "</Body></Envelope>"),
         "102", NULL},
        {"errors beside an ack",
         ("<Envelope><Body><R><Ack>Failure</Ack><Errors><ShortMessage>Bad data</ShortMessage>"
          "<LongMessage>Enter a valid card number</LongMessage><ErrorCode>10527</ErrorCode>"
          "<SeverityCode>Error</SeverityCode></Errors></R></Body></Envelope>"),
         "10527", "Enter a valid card number"},
        {"a bank's 211",
         ("<Envelope><Body><R><S><Message>Invalid card number</Message><Result>211</Result></S>"
          "</R></Body></Envelope>"),
         "211", "Invalid card number"},
        {"a class",
         "{\"errors\":[{\"message\":\"No such id\",\"extensions\":{\"errorClass\":"
         "\"NOT_FOUND\"}}],\"data\":null}",
         "NOT_FOUND", "No such id"},
        {"a bank's word",
         ("<r><receipt><ResponseCode>481</ResponseCode><Message>DECLINED * =</Message></receipt>"
          "</r>"),
         "481", "DECLINED * ="},
        {"a code that is not four noughts",
         "{\"EXECCODE\":\"4001\",\"MESSAGE\":\"The bank said "
         "no.\"}",
         "4001", "The bank said no."},
        {"a letter", "{\"respstat\":\"C\",\"resptext\":\"No such sale\",\"respcode\":\"29\"}", "29",
         "No such sale"},
        {"a means of payment",
         ("{\"id\":\"T1\",\"status\":\"DECLINED\",\"payment_method\":{\"result\":\"101\","
          "\"message\":\"Too little money\"}}"),
         "101", "Too little money"},
        {"an error deep down",
         ("<a><b><c><d><e><f><ERROR><Type>REJECTED</Type><Number>05</Number><Message>Not booked"
          "</Message></ERROR></f></e></d></c></b></a>"),
         "05", "Not booked"},
    };
    check(cases, G_N_ELEMENTS(cases), true);
    static const struct shape_case good[] = {
        {"pairs", "response=1&responsetext=SUCCESS&response_code=100", "100", "SUCCESS"},
        {"a warning",
         ("<Envelope><Body><R><Ack>SuccessWithWarning</Ack><Errors><ShortMessage>Odd</ShortMessage>"
          "<ErrorCode>10571</ErrorCode><SeverityCode>Warning</SeverityCode></Errors></R></Body>"
          "</Envelope>"),
         "10571", "Odd"},
        {"approved",
         ("<Envelope><Body><Result><Error_Number>0</Error_Number><Transaction_Approved>true"
          "</Transaction_Approved></Result></Body></Envelope>"),
         NULL, NULL},
        {"three noughts", "{\"response\":\"000\",\"message\":\"Approved\"}", NULL, "Approved"},
        {"a bank's good word",
         ("<r><receipt><ResponseCode>027</ResponseCode><Message>APPROVED * =</Message></receipt>"
          "</r>"),
         NULL, NULL},
        {"a good letter", "{\"respstat\":\"A\",\"resptext\":\"Approval\",\"respcode\":\"00\"}",
         NULL, NULL},
        {"four noughts", "{\"EXECCODE\":\"0000\",\"MESSAGE\":\"Taken.\"}", NULL, "Taken."},
        {"one", "{\"response\":1,\"message\":\"Stored\"}", "1", "Stored"},
        {"no error", "<n NCSTATUS=\"0\" NCERROR=\"0\" NCERRORPLUS=\"!\"/>", NULL, "!"},
        {"result", "{\"messages\":{\"resultCode\":\"Ok\",\"message\":[{\"code\":\"I1\"}]}}", NULL,
         NULL},
    };
    check(good, G_N_ELEMENTS(good), false);
}

// What says more than the text around it.
static void test_inner_texts(void **state)
{
    (void)state;
    static const struct shape_case cases[] = {
        {"JSON in a message",
         ("{\"error\":{\"code\":\"OUTER\",\"message\":\"{\\\"error\\\":{\\\"code\\\":\\\"LIMIT\\\","
          "\\\"message\\\":\\\"Request limit exceeded.\\\"}}\"}}"),
         "LIMIT", "Request limit exceeded."},
        {"Odoo's error in a result",
         ("{\"jsonrpc\":\"2.0\",\"result\":{\"error\":{\"code\":200,\"message\":\"Odoo Server "
          "Error\","
          "\"data\":{\"name\":\"odoo.exceptions.UserError\",\"arguments\":[\"The field is not "
          "stored\"]}}}}"),
         "odoo.exceptions.UserError", "The field is not stored"},
        {"a code and a text", "{\"code\":1,\"message\":\"Customer not found\"}", "1",
         "Customer not found"},
        {"not created", "{\"code\":1,\"message\":\"Order not created\"}", "1", "Order not created"},
        {"a short name", "{\"code\":40001,\"msg\":\"invalid credential\"}", "40001",
         "invalid credential"},
        {"a result inside", "{\"Result\":{\"Success\":false,\"Message\":\"Customer is on hold\"}}",
         NULL, "Customer is on hold"},
        {"a mere no", "{\"result\":\"NOK\",\"reason\":\"Stock too low\"}", NULL, "Stock too low"},
        {"an own code",
         "{\"statusCode\":2,\"statusMessage\":\"Failed\",\"responseData\":{\"error\":"
         "\"The document is closed\"}}",
         "2", "The document is closed"},
    };
    check(cases, G_N_ELEMENTS(cases), true);
    static const struct shape_case hints[] = {
        {"issues",
         ("{\"name\":\"BAD_ENTITY\",\"message\":\"Invalid request - see details\",\"details\":[{"
          "\"issue\":\"NOT_APPROVED\",\"description\":\"The payer has not approved it.\"}]}"),
         "NOT_APPROVED", "The payer has not approved it."},
        {"described",
         "<messages><message><error-name>X</error-name><code>7</code><description>No card"
         "</description></message></messages>",
         "7", "No card"},
        {"fields",
         "{\"Message\":\"The request is invalid.\",\"ModelState\":{\"order.Qty\":[\"'abc' is "
         "not valid for Qty.\"]}}",
         NULL, "'abc' is not valid for Qty."},
        {"places",
         "{\"detail\":[{\"loc\":[\"body\",\"qty\"],\"msg\":\"value is not an integer\","
         "\"type\":\"type_error.integer\"}]}",
         "type_error.integer", "value is not an integer"},
        {"a state", "<status code=\"415\">Invalid XML Document</status>", "415",
         "Invalid XML Document"},
        {"a state below", "<root><status code=\"43\">Too little on the voucher</status></root>",
         "43", "Too little on the voucher"},
        {"a lone text", "<xml>No such place</xml>", NULL, "No such place"},
    };
    check(hints, G_N_ELEMENTS(hints), false);
}

static void test_placeholders(void **state)
{
    (void)state;
    static const struct shape_case cases[] = {
        {"list", "{\"message\":\"Carrier %1 of %2 is 100% unknown %3\",\"parameters\":[\"a\",7]}",
         NULL, "Carrier a of 7 is 100% unknown %3"},
        {"object",
         "{\"message\":\"No entity with %fieldName = %fieldValue\",\"parameters\":{"
         "\"fieldName\":\"sku\",\"fieldValue\":\"X-1\"}}",
         NULL, "No entity with sku = X-1"},
        {"null", "{\"message\":\"No entity with %fieldName\",\"parameters\":null}", NULL,
         "No entity with %fieldName"},
        {"huge", "{\"message\":\"No %99999999999999999999 %0\",\"parameters\":[1]}", NULL,
         "No %99999999999999999999 %0"},
    };
    check(cases, G_N_ELEMENTS(cases), false);
}

static void test_texts(void **state)
{
    (void)state;
    static const struct shape_case failing[] = {
        {"oauth 1", "oauth_problem=signature_invalid", "signature_invalid", "signature_invalid"},
        {"form", "ACK=Failure&L_ERRORCODE0=10002&L_LONGMESSAGE0=The+order+is+too+old%21", "10002",
         "The order is too old!"},
        {"pairs",
         "VPSProtocol=3.00\r\nStatus=INVALID\r\nStatusDetail=4020 : The address is unknown",
         "INVALID", "4020 : The address is unknown"},
        {"traceback", "Traceback (most recent call last):\n x", NULL,
         "Traceback (most recent call last):\n x"},
        {"error", "Fatal error: no table x", NULL, "Fatal error: no table x"},
        {"part of a batch",
         "--b1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n{\"error\":"
         "{\"code\":\"C1\",\"message\":\"Item 7 is unknown\"}}\r\n--b1--",
         "C1", "Item 7 is unknown"},
        {"behind a warning",
         "Warning: x is old in y.php\n{\"error\":{\"code\":\"C1\",\"message\":"
         "\"Item 7 is unknown\"}}",
         "C1", "Item 7 is unknown"},
    };
    check(failing, G_N_ELEMENTS(failing), true);
    static const struct shape_case plain[] = {
        {"gateway", "error code: 1020 x", "1020", "error code: 1020 x"},
        {"words", "Item 7 is there", NULL, "Item 7 is there"},
        {"OK", "RESULT=0&RESPMSG=Approved&PNREF=7", NULL, "Approved"},
    };
    g_autoptr(envelope_t) code = read_text(plain[0].body);
    assert_string_equal(code->code, "1020");
    check(plain + 1, 2, false);
}

static void test_pages(void **state)
{
    (void)state;
    static const struct shape_case cases[] = {
        {"title",
         "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1>"
         "</body></html>",
         NULL, "502 Bad Gateway"},
        {"tomcat",
         "<!doctype html><html><head><title>HTTP Status 401 – Unauthorized</title>"
         "<style>h1 {color:red}</style></head><body><h1>HTTP Status 401 – Unauthorized"
         "</h1><p><b>Message</b> The key is too old</p></body></html>",
         NULL, "The key is too old"},
        {"iis",
         "<html><head><title>IIS 10.0 Detailed Error - 404.3 - Not Found</title></head></html>",
         "404.3", "IIS 10.0 Detailed Error - 404.3 - Not Found"},
        {"no title", "<html><body>Blocked by policy 7 of x &amp; y</body></html>", NULL,
         "Blocked by policy 7 of x & y"},
    };
    check(cases, G_N_ELEMENTS(cases), false);
    g_autoptr(envelope_t) login = read_text(
        "<html><title>x</title><form action=\"/a\"><input name=p type=\"password\"></form></html>");
    assert_int_equal(login->kind, ENVELOPE_HTML);
    assert_true(login->login);
    g_autoptr(envelope_t) script = read_text(
        "<html><script>document.write('<h1>never</h1>')</script><h1>Shop of x</h1></html>");
    assert_string_equal(script->message, "Shop of x");
    assert_false(script->login);
}

// What is said of records, not of the call.
static void test_records(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "[{\"id\":1,\"status\":\"error\",\"message\":\"x\"},{\"id\":2,\"status\":\"ok\"}]",
        "{\"code\":\"NL\",\"name\":\"Netherlands\",\"message\":null}",
        ("{\"id\":\"p1\",\"status\":\"open\",\"last_error\":{\"code\":\"card_declined\","
         "\"message\":"
         "\"The card was declined.\"}}"),
        ("<feed><entry><content><properties><Message>Not found</Message><Status>Error</Status>"
         "</properties></content></entry></feed>"),
        "{\"data\":[{\"code\":\"SUCCESS\",\"message\":\"added\",\"status\":\"success\"}]}",
        "{\"orderId\":9,\"statusMessage\":\"Delivery attempt failed\",\"tracking\":\"1\"}",
        "status=OK&error=&token=abc",
        "{\"code\":1,\"message\":\"Success\"}",
        "{\"code\":\"PENDING\",\"message\":\"Your export is being prepared\"}",
        "{\"code\":10000,\"msg\":\"Saved\",\"sub_code\":null}",
        "{\"returnCode\":1,\"message\":\"Order created successfully\"}",
        "{\"code\":1,\"message\":\"Auftrag erfolgreich angelegt\"}",
        "{\"error\":{\"code\":0,\"message\":\"No error\"},\"result\":[1]}",
        "<response><result>1</result><message>Order stored</message></response>",
        "id;name;error\n1;A;\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autoptr(envelope_t) envelope = read_text(bodies[i]);
        if (envelope->failure || (envelope->kind == ENVELOPE_TEXT && envelope->suspect))
            fail_msg("%s", bodies[i]);
    }
    g_autoptr(envelope_t) lone = read_text("{\"status\":\"success\",\"message\":\"No error\"}");
    assert_false(lone->suspect);
    g_autoptr(envelope_t) listed = read_text("{\"data\":[{\"code\":\"NO_NAME\",\"message\":\"a "
                                             "name is missing\",\"status\":\"error\"}]}");
    assert_true(listed->failure);
    assert_string_equal(listed->code, "NO_NAME");
}

// A word of success in what failed, in each language.
static void test_words_of_success(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Order must exist before it is posted",
        "Order was never saved",
        "Only released orders are accepted",
        "Der Auftrag wurde nie gespeichert",
        "Kein Auftrag angelegt",
        "Erst speichern: gespeichert wird dann",
        "Geen order opgeslagen",
        "Order moet zijn opgeslagen",
        "Aucune commande enregistrée",
        "La commande doit être enregistrée",
        "El pedido no fue guardado",
        "No se ha guardado: correcto el resto",
        "échec : commande enregistrée",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *body = g_strdup_printf("{\"code\":17,\"message\":\"%s\"}", texts[i]);
        g_autoptr(envelope_t) envelope = read_text(body);
        if (!envelope->failure)
            fail_msg("%s", texts[i]);
    }
    static const char *const good[] = {"Order saved without error",
                                       "Auftrag erstellt",
                                       "Auftrag ohne Fehler gespeichert",
                                       "Order bijgewerkt",
                                       "Commande enregistré",
                                       "Client mis à jour",
                                       "Pedido creado",
                                       "Pedido guardado sin error",
                                       "Kein Fehler",
                                       "Geen fouten",
                                       "Aucune erreur",
                                       "Sin errores",
                                       "No error"};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *body = g_strdup_printf("{\"code\":17,\"message\":\"%s\"}", good[i]);
        g_autoptr(envelope_t) envelope = read_text(body);
        if (envelope->failure)
            fail_msg("%s", good[i]);
    }
}

static void test_successes(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"value\":[]}",
        "{\"errors\":[],\"data\":{\"x\":1}}",
        "{\"errors\":null}",
        "{\"errors\":false}",
        "{\"errors\":{}}",
        "{\"error\":null,\"result\":7}",
        "{\"error\":\"\"}",
        "{\"error\":0}",
        "{\"error\":false,\"message\":\"created\"}",
        "{\"error\":{\"code\":0,\"message\":\"\"}}",
        "{\"ErrorCode\":0,\"ErrorMessage\":\"\"}",
        "{\"ErrorCode\":\"0\",\"ErrorMessage\":null}",
        "{\"errorCode\":\"\",\"id\":4}",
        "{\"code\":200,\"message\":\"success\"}",
        "{\"code\":\"EUR\",\"name\":\"Euro\"}",
        "{\"status\":\"OK\",\"message\":\"stored\"}",
        "{\"status\":200,\"message\":\"stored\"}",
        "{\"id\":\"tr_1\",\"status\":\"failed\",\"description\":\"order 7\"}",
        "{\"success\":true,\"error\":null}",
        "{\"jsonrpc\":\"2.0\",\"result\":false}",
        "{\"result\":false}",
        "{\"blocked\":\" \",\"errorRate\":3}",
        "{\"message\":\"pong\"}",
        "{\"type\":\"Company\",\"title\":\"Director\"}",
        "{\"data\":{\"place\":{\"order\":{\"number\":\"1\"},\"errors\":[]}}}",
        "[{\"id\":1,\"message\":\"hello\"}]",
        "[]",
        "<?xml version=\"1.0\"?><cXML><Response><Status code=\"200\" text=\"OK\">error free"
        "</Status></Response></cXML>",
        "<r><control><status>success</status></control><errors/></r>",
        "<Envelope><Body><addResponse><writeResponse><status isSuccess=\"true\"/></writeResponse>"
        "</addResponse></Body></Envelope>",
        "<x><APIResponseStatus><Code>OK</Code></APIResponseStatus></x>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autoptr(envelope_t) envelope = read_text(bodies[i]);
        if (envelope->failure)
            fail_msg("taken for a failure: %s", bodies[i]);
    }
}

static enum envelope_kind kind_of(const char *body, size_t length, const char *type)
{
    g_autoptr(envelope_t) envelope = envelope_read(body, length, type, NULL, NULL);
    return envelope->kind;
}

static void test_kinds(void **state)
{
    (void)state;
#define KIND(body, type) kind_of(body, strlen(body), type)
    assert_int_equal(KIND("", NULL), ENVELOPE_EMPTY);
    assert_int_equal(KIND(" \r\n\t", "application/json"), ENVELOPE_EMPTY);
    assert_int_equal(KIND("\xef\xbb\xbf{}", "text/plain"), ENVELOPE_JSON);
    assert_int_equal(KIND("[1]", NULL), ENVELOPE_JSON);
    assert_int_equal(KIND("false", "application/json"), ENVELOPE_JSON);
    assert_int_equal(KIND("false", "text/plain"), ENVELOPE_TEXT);
    assert_int_equal(KIND("{\"a\":", "application/json"), ENVELOPE_BROKEN);
    assert_int_equal(KIND("[ERROR] no table", NULL), ENVELOPE_TEXT);
    assert_int_equal(KIND("<a/>", NULL), ENVELOPE_XML);
    assert_int_equal(KIND("<", NULL), ENVELOPE_BROKEN);
    assert_int_equal(KIND("<!DOCTYPE html><p>x", "application/json"), ENVELOPE_HTML);
    assert_int_equal(KIND("  <HTML>", NULL), ENVELOPE_HTML);
    assert_int_equal(kind_of("\x1f\x8b\x08\0\0\0", 6, NULL), ENVELOPE_BROKEN);
#undef KIND
    static const char latin1[] =
        "{\"error\":{\"code\":\"C\",\"message\":\"G\xfcltig nur 7 Tage\"}}";
    g_autoptr(envelope_t) converted = read_text(latin1);
    assert_string_equal(converted->message, "Gültig nur 7 Tage");
    g_autoptr(envelope_t) cut =
        read_text("{\"error\":{\"code\":\"C7\",\"message\":\"Too old\",\"x");
    assert_int_equal(cut->kind, ENVELOPE_BROKEN);
    assert_string_equal(cut->code, "C7");
    assert_string_equal(cut->message, "Too old");
}

static void test_ids(void **state)
{
    (void)state;
    g_autoptr(envelope_t) envelope = read_text(
        "{\"error\":{\"code\":\"C\",\"message\":\"m 1\",\"innererror\":{\"transactionid\":"
        "\"T1\",\"request-id\":\"R1\",\"deep\":{\"activityId\":7}}}}");
    assert_string_equal(json_text(envelope->ids, "transactionid"), "T1");
    assert_string_equal(json_text(envelope->ids, "request-id"), "R1");
    assert_string_equal(json_text(envelope->ids, "activityId"), "7");
}

static void test_long_texts_are_cut(void **state)
{
    (void)state;
    g_autoptr(GString) body = g_string_new("{\"error\":{\"code\":\"C\",\"message\":\"");
    for (int i = 0; i < 5000; i++)
        g_string_append(body, "é ");
    g_string_append(body, "\"}}");
    g_autoptr(envelope_t) envelope = read_text(body->str);
    assert_true(strlen(envelope->message) <= 4096);
    assert_true(g_utf8_validate(envelope->message, -1, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_odata),         cmocka_unit_test(test_rpc),
        cmocka_unit_test(test_soap),          cmocka_unit_test(test_other_xml),
        cmocka_unit_test(test_json_families), cmocka_unit_test(test_payments),
        cmocka_unit_test(test_inner_texts),   cmocka_unit_test(test_placeholders),
        cmocka_unit_test(test_texts),         cmocka_unit_test(test_pages),
        cmocka_unit_test(test_records),       cmocka_unit_test(test_words_of_success),
        cmocka_unit_test(test_successes),     cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_ids),           cmocka_unit_test(test_long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
