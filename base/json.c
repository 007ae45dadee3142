// SPDX-License-Identifier: MIT
// What the project needs around cJSON trees: printing with the numbers' own
// digits, looking up, building, comparing. Reading is in json_read.c.
#include "json.h"

#include "decimal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

// Objects with more members than this are compared through a hash table.
#define MEMBERS_FEW 16

static void print_escaped(GString *out, unsigned char byte)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = strchr(plain, byte);
    if (found && byte != '\0') {
        g_string_append_c(out, '\\');
        g_string_append_c(out, letters[found - plain]);
    } else {
        g_string_append_printf(out, "\\u%04x", byte);
    }
}

// Most texts are ASCII, which needs no closer look.
static bool is_valid_utf8(const char *text)
{
    while (*text && !((unsigned char)*text & 0x80))
        text++;
    return g_utf8_validate(text, -1, NULL);
}

static void print_text(GString *out, const char *text)
{
    if (!text)
        text = "";
    g_autofree char *mended = is_valid_utf8(text) ? NULL : g_utf8_make_valid(text, -1);
    if (mended)
        text = mended;
    g_string_append_c(out, '"');
    const char *from = text;
    for (; *text; text++) {
        if ((unsigned char)*text >= 0x20 && *text != '"' && *text != '\\')
            continue;
        g_string_append_len(out, from, text - from);
        print_escaped(out, (unsigned char)*text);
        from = text + 1;
    }
    g_string_append_len(out, from, text - from);
    g_string_append_c(out, '"');
}

// A new line with its indentation; `level` -1 prints compactly.
static void print_line(GString *out, int level)
{
    if (level < 0)
        return;
    g_string_append_c(out, '\n');
    for (int i = 0; i < level; i++)
        g_string_append(out, "  ");
}

static void print_value(GString *out, const cJSON *node, int level);

static void print_children(GString *out, const cJSON *parent, int level)
{
    bool object = cJSON_IsObject(parent);
    int inner = level < 0 ? -1 : level + 1;
    g_string_append_c(out, object ? '{' : '[');
    for (const cJSON *child = parent->child; child; child = child->next) {
        print_line(out, inner);
        if (object) {
            print_text(out, child->string);
            g_string_append(out, level < 0 ? ":" : ": ");
        }
        print_value(out, child, inner);
        if (child->next)
            g_string_append_c(out, ',');
    }
    if (parent->child)
        print_line(out, level);
    g_string_append_c(out, object ? '}' : ']');
}

static void print_value(GString *out, const cJSON *node, int level)
{
    char buffer[32];
    switch (node->type & 0xFF) {
    case cJSON_False:
        g_string_append(out, "false");
        break;
    case cJSON_True:
        g_string_append(out, "true");
        break;
    case cJSON_Number:
        g_string_append(out, json_number_text(node, buffer));
        break;
    case cJSON_String:
        print_text(out, node->valuestring);
        break;
    case cJSON_Raw:
        g_string_append(out, node->valuestring ? node->valuestring : "null");
        break;
    case cJSON_Array:
    case cJSON_Object:
        print_children(out, node, level);
        break;
    default:
        g_string_append(out, "null");
    }
}

char *json_print(const cJSON *tree, bool indented)
{
    GString *out = g_string_sized_new(256);
    if (tree)
        print_value(out, tree, indented ? 0 : -1);
    else
        g_string_append(out, "null");
    gsize size = out->len + 1; // trees are kept as text by the thousand: no room to spare
    return g_realloc(g_string_free(out, FALSE), size);
}

const char *json_number_text(const cJSON *number, char buffer[32])
{
    if (number->valuestring)
        return number->valuestring;
    double value = number->valuedouble;
    if (!isfinite(value))
        return "null"; // JSON has no such number
    if (fabs(value) < 1e15 && floor(value) == value)
        g_snprintf(buffer, 32, "%" PRId64, (int64_t)value);
    else
        g_ascii_dtostr(buffer, 32, value);
    return buffer;
}

void json_init(void)
{
    cJSON_Hooks hooks = {g_malloc, g_free};
    cJSON_InitHooks(&hooks);
}

cJSON *json_new_number(const char *literal)
{
    cJSON *number = cJSON_CreateNumber(g_ascii_strtod(literal, NULL));
    size_t size = strlen(literal) + 1;
    char *copy = number ? cJSON_malloc(size) : NULL;
    if (!copy)
        g_error("out of memory");
    memcpy(copy, literal, size);
    number->valuestring = copy;
    return number;
}

bool json_is_number(const char *text)
{
    const char *digits = text + (*text == '-');
    bool zero_in_front = digits[0] == '0' && g_ascii_isdigit(digits[1]);
    return !zero_in_front && decimal_is_valid(text);
}

const cJSON *json_member(const cJSON *object, const char *key)
{
    if (!cJSON_IsObject(object))
        return NULL;
    for (const cJSON *child = object->child; child; child = child->next)
        if (child->string && strcmp(child->string, key) == 0)
            return child;
    return NULL;
}

const char *json_text(const cJSON *object, const char *key)
{
    const cJSON *member = json_member(object, key);
    return cJSON_IsString(member) ? member->valuestring : NULL;
}

gint64 json_integer(const cJSON *object, const char *key, gint64 fallback)
{
    const cJSON *member = json_member(object, key);
    gint64 number = 0;
    if (!cJSON_IsNumber(member))
        return fallback;
    char buffer[32];
    const char *literal = json_number_text(member, buffer);
    if (g_ascii_string_to_signed(literal, 10, G_MININT64, G_MAXINT64, &number, NULL))
        return number;
    double value = member->valuedouble;
    return fabs(value) < 9e15 && floor(value) == value ? (gint64)value : fallback;
}

void json_add_time(cJSON *object, const char *key, struct clock_wall time)
{
    g_autofree char *text = time.us > 0 ? clock_wall_format(time) : NULL;
    json_add_text(object, key, text);
}

static void free_value(void *value)
{
    cJSON_Delete(value);
}

GPtrArray *json_list_new(void)
{
    return g_ptr_array_new_with_free_func(free_value);
}

void json_add_text(cJSON *object, const char *key, const char *text)
{
    if (text)
        cJSON_AddStringToObject(object, key, text);
    else
        cJSON_AddNullToObject(object, key);
}

void json_add_integer(cJSON *object, const char *key, gint64 number)
{
    char literal[32];
    g_snprintf(literal, sizeof literal, "%" G_GINT64_FORMAT, number);
    cJSON_AddItemToObject(object, key, json_new_number(literal));
}

bool json_order_numbers(const cJSON *left, const cJSON *right, int *order)
{
    char left_buffer[32], right_buffer[32];
    const char *a = json_number_text(left, left_buffer);
    const char *b = json_number_text(right, right_buffer);
    if (strcmp(a, b) == 0)
        *order = 0;
    else if (decimal_is_valid(a) && decimal_is_valid(b))
        *order = decimal_compare(a, b);
    else
        return false;
    return true;
}

static bool equal_numbers(const cJSON *left, const cJSON *right)
{
    int order = 0;
    return json_order_numbers(left, right, &order) && order == 0;
}

static bool equal_arrays(const cJSON *left, const cJSON *right)
{
    const cJSON *a = left->child, *b = right->child;
    for (; a && b; a = a->next, b = b->next)
        if (!json_equal(a, b))
            return false;
    return !a && !b;
}

// How many members an object has; -1 where the two have not the same number.
static int count_members(const cJSON *left, const cJSON *right)
{
    int count = 0;
    const cJSON *a = left->child, *b = right->child;
    for (; a && b; a = a->next, b = b->next)
        count++;
    return a || b ? -1 : count;
}

static GHashTable *index_members(const cJSON *object)
{
    GHashTable *table = g_hash_table_new(g_str_hash, g_str_equal);
    for (cJSON *child = object->child; child; child = child->next)
        if (!g_hash_table_contains(table, child->string))
            g_hash_table_insert(table, child->string, child);
    return table;
}

static bool equal_objects(const cJSON *left, const cJSON *right)
{
    int count = count_members(left, right);
    if (count < 0)
        return false;
    g_autoptr(GHashTable) table = count > MEMBERS_FEW ? index_members(right) : NULL;
    for (const cJSON *a = left->child; a; a = a->next) {
        const cJSON *b =
            table ? g_hash_table_lookup(table, a->string) : json_member(right, a->string);
        if (!b || !json_equal(a, b))
            return false;
    }
    return true;
}

bool json_equal(const cJSON *left, const cJSON *right)
{
    if (left == right)
        return true;
    if (!left || !right || (left->type & 0xFF) != (right->type & 0xFF))
        return false;
    switch (left->type & 0xFF) {
    case cJSON_Number:
        return equal_numbers(left, right);
    case cJSON_String:
        return strcmp(left->valuestring, right->valuestring) == 0;
    case cJSON_Array:
        return equal_arrays(left, right);
    case cJSON_Object:
        return equal_objects(left, right);
    default:
        return true;
    }
}
