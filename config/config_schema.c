// SPDX-License-Identifier: MIT
// Writes the table of keys as a JSON Schema, by which editors complete and check
// a configuration. Used by `erpwatch schema` alone.
#include "config_schema.h"

#include "../base/json.h"
#include "config_keys.h"

#include <string.h>

static const char duration_pattern[] = "^([0-9]+(ms|s|m|h|d))+$";
static const char size_pattern[] = "^[0-9]+(B|KiB|MiB|GiB)$";
static const char selector_words[] = "status|time|size|body|certificate";
static const char type_words[] = "string|number|integer|boolean|null|array|object";

static cJSON *type_of(const char *names)
{
    cJSON *schema = cJSON_CreateObject();
    g_auto(GStrv) list = g_strsplit(names, "|", -1);

    if (list[1] == NULL) {
        cJSON_AddStringToObject(schema, "type", names);
        return schema;
    }
    cJSON *types = cJSON_AddArrayToObject(schema, "type");

    for (unsigned i = 0; list[i] != NULL; i++)
        cJSON_AddItemToArray(types, cJSON_CreateString(list[i]));
    return schema;
}

// An unquoted number or truth is taken as the text that it is.
static cJSON *scalar(void)
{
    return type_of("string|number|boolean");
}

static cJSON *filename(void)
{
    cJSON *schema = scalar();

    cJSON_AddNumberToObject(schema, "minLength", 1);
    return schema;
}

static cJSON *pattern(const char *expression)
{
    cJSON *schema = type_of("string");

    cJSON_AddStringToObject(schema, "pattern", expression);
    return schema;
}

static cJSON *words(const char *list)
{
    cJSON *schema = cJSON_CreateObject(), *values = cJSON_AddArrayToObject(schema, "enum");
    g_auto(GStrv) each = g_strsplit(list, "|", -1);

    for (unsigned i = 0; each[i] != NULL; i++)
        cJSON_AddItemToArray(values, cJSON_CreateString(each[i]));
    return schema;
}

static cJSON *reference(const char *map)
{
    cJSON *schema = cJSON_CreateObject();
    g_autofree char *target = g_strconcat("#/definitions/", map, NULL);

    cJSON_AddStringToObject(schema, "$ref", target);
    return schema;
}

static cJSON *array_of(cJSON *items)
{
    cJSON *schema = type_of("array");

    cJSON_AddItemToObject(schema, "items", items);
    return schema;
}

static cJSON *object_of(cJSON *values)
{
    cJSON *schema = type_of("object");

    cJSON_AddItemToObject(schema, "additionalProperties", values);
    return schema;
}

static cJSON *either(cJSON *first, cJSON *second)
{
    cJSON *schema = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(schema, "anyOf");

    cJSON_AddItemToArray(list, first);
    cJSON_AddItemToArray(list, second);
    return schema;
}

static cJSON *one_or_list(cJSON *one, cJSON *same)
{
    return either(one, array_of(same));
}

static cJSON *flag(void)
{
    cJSON *schema = cJSON_CreateObject(), *values = cJSON_AddArrayToObject(schema, "enum");

    cJSON_AddItemToArray(values, cJSON_CreateTrue());
    cJSON_AddItemToArray(values, cJSON_CreateNull());
    return schema;
}

static cJSON *type_name(void)
{
    return either(words(type_words), type_of("null"));
}

static cJSON *checks(void)
{
    return either(reference("OPERATORS"), type_of("string|number|boolean|null|array"));
}

static cJSON *integer(const char *range)
{
    cJSON *schema = type_of("integer");
    g_auto(GStrv) ends = g_strsplit(range, "..", 2);

    cJSON_AddItemToObject(schema, "minimum", json_new_number(ends[0]));
    cJSON_AddItemToObject(schema, "maximum", json_new_number(ends[1]));
    return schema;
}

static cJSON *steps(void)
{
    cJSON *schema = array_of(reference("STEP"));

    cJSON_AddItemToObject(schema, "minItems", json_new_number("1"));
    return schema;
}

static cJSON *only_if(void)
{
    cJSON *schema = object_of(checks());

    cJSON_AddItemToObject(schema, "minProperties", json_new_number("1"));
    cJSON_AddItemToObject(schema, "maxProperties", json_new_number("1"));
    return schema;
}

// Types of maps and lists; NULL for scalars.
static cJSON *container_schema(const struct config_key *key)
{
    switch (key->type) {
    case CONFIG_TYPE_MAP:
        return reference(key->argument);
    case CONFIG_TYPE_NAMES:
        return object_of(reference(key->argument));
    case CONFIG_TYPE_MAPS:
        return array_of(reference(key->argument));
    case CONFIG_TYPE_FIELDS:
        return object_of(one_or_list(scalar(), scalar()));
    case CONFIG_TYPE_VALUES:
        return object_of(cJSON_CreateTrue());
    case CONFIG_TYPE_ROLES:
    case CONFIG_TYPE_NAMESPACES:
    case CONFIG_TYPE_NAMED_PATTERNS:
        return object_of(scalar());
    case CONFIG_TYPE_STEPS:
        return steps();
    case CONFIG_TYPE_UNDO:
        return one_or_list(reference("UNDO"), reference("UNDO_CALL"));
    case CONFIG_TYPE_CAPTURES:
        return object_of(either(reference("CAPTURE"), words(selector_words)));
    case CONFIG_TYPE_SELECTOR:
        return either(reference("SELECTOR"), words(selector_words));
    case CONFIG_TYPE_ITEMS:
        return either(pattern("^\\$"), reference("SELECTOR"));
    case CONFIG_TYPE_NAMED_CHECKS:
        return object_of(checks());
    case CONFIG_TYPE_ONLY_IF:
        return only_if();
    default:
        return NULL;
    }
}

static cJSON *scalar_schema(const struct config_key *key)
{
    switch (key->type) {
    case CONFIG_TYPE_DURATION:
    case CONFIG_TYPE_DURATION_OR_ZERO:
        return pattern(duration_pattern);
    case CONFIG_TYPE_SIZE:
        return pattern(size_pattern);
    case CONFIG_TYPE_INTEGER:
        return integer(key->argument);
    case CONFIG_TYPE_BOOLEAN:
        return type_of("boolean");
    case CONFIG_TYPE_FILENAME:
        return filename();
    case CONFIG_TYPE_FLAG:
        return flag();
    case CONFIG_TYPE_WORD:
        return words(key->argument);
    case CONFIG_TYPE_JSON:
        return cJSON_CreateObject();
    case CONFIG_TYPE_AMOUNT:
        return scalar();
    case CONFIG_TYPE_TYPES:
        return one_or_list(type_name(), type_name());
    case CONFIG_TYPE_CHECKS:
        return checks();
    case CONFIG_TYPE_LIST:
    case CONFIG_TYPE_URLS:
    case CONFIG_TYPE_EMAILS:
    case CONFIG_TYPE_CONTACTS:
    case CONFIG_TYPE_PATTERNS:
    case CONFIG_TYPE_STATUSES:
        return one_or_list(scalar(), scalar());
    default:
        return scalar();
    }
}

static void add_property(cJSON *properties, const struct config_key *key)
{
    cJSON *schema = container_schema(key);
    g_autofree char *description =
        key->fallback[0] != '\0' ? g_strdup_printf("%s Default: %s.", key->sentence, key->fallback)
                                 : g_strdup(key->sentence);

    if (schema == NULL)
        schema = scalar_schema(key);
    if (cJSON_GetObjectItem(schema, "$ref") != NULL) { // beside $ref, draft-07 reads nothing
        cJSON *wrapped = cJSON_CreateObject(), *all = cJSON_AddArrayToObject(wrapped, "allOf");

        cJSON_AddItemToArray(all, schema);
        schema = wrapped;
    }
    cJSON_AddStringToObject(schema, "description", description);
    cJSON_AddItemToObject(properties, key->name, schema);
}

static void add_choice(cJSON *one, const char *key)
{
    cJSON *choice = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(choice, "required");

    cJSON_AddItemToArray(list, cJSON_CreateString(key));
    cJSON_AddItemToArray(one, choice);
}

// A call has exactly one method, or what stands in place of a call.
static void add_methods(cJSON *schema, enum config_map map)
{
    static const char *const methods[] = {"get", "post", "put", "patch", "delete", "head", "call"};
    static const char *const others[CONFIG_MAP_COUNT] = {
        [CONFIG_MAP_UNDO] = "none", [CONFIG_MAP_SWEEP] = "use", [CONFIG_MAP_VERSION] = "off"};
    cJSON *one;

    if (config_map_key(map, "get") == NULL)
        return;
    one = cJSON_AddArrayToObject(schema, "oneOf");
    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++)
        add_choice(one, methods[i]);
    if (others[map] != NULL)
        add_choice(one, others[map]);
}

static cJSON *map_schema(enum config_map map)
{
    cJSON *schema = type_of("object");
    cJSON *needed = cJSON_CreateArray();
    const GPtrArray *keys = config_map_keys(map);

    cJSON_AddStringToObject(schema, "description", config_map_info(map)->sentence);
    cJSON *properties = cJSON_AddObjectToObject(schema, "properties");

    for (unsigned i = 0; i < keys->len; i++) {
        const struct config_key *key = keys->pdata[i];

        add_property(properties, key);
        if (key->needed && !config_map_is_filled_in(map))
            cJSON_AddItemToArray(needed, cJSON_CreateString(key->name));
    }
    cJSON_AddFalseToObject(schema, "additionalProperties");
    if (cJSON_GetArraySize(needed) > 0)
        cJSON_AddItemToObject(schema, "required", needed);
    else
        cJSON_Delete(needed);
    add_methods(schema, map);
    return schema;
}

char *config_schema_json(void)
{
    g_autoptr(cJSON) schema = map_schema(CONFIG_MAP_ROOT);
    cJSON *ignored = cJSON_AddObjectToObject(schema, "patternProperties");
    cJSON *definitions = cJSON_AddObjectToObject(schema, "definitions");

    cJSON_AddStringToObject(schema, "$schema", "http://json-schema.org/draft-07/schema#");
    cJSON_AddStringToObject(schema, "title", "erpwatch configuration");
    cJSON_AddTrueToObject(ignored, "^x-");
    for (unsigned map = 1; map < CONFIG_MAP_COUNT; map++)
        cJSON_AddItemToObject(definitions, config_map_info(map)->name, map_schema(map));
    return json_print(schema, true);
}
