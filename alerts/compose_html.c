// SPDX-License-Identifier: MIT
// Writes a view as HTML. Mail programs want tables and styles on each element;
// the only style sheet is what cannot be written there: dark colours and narrow
// screens. All texts go through safe_text_append_html.
#include "compose_html.h"
#include "safe_text.h"

// Colours: page, card, text and its shades; each has a class that the dark style sheet changes.
#define FONT "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
#define MONO "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace;"

static const char head[] =
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta name=\"supported-color-schemes\" content=\"light dark\">\n"
    "<style>\n"
    ":root{color-scheme:light dark;supported-color-schemes:light dark}\n"
    "@media (max-width:480px){\n"
    ".pad{padding-left:16px!important;padding-right:16px!important}\n"
    ".page{padding:0!important}\n"
    ".card{border-radius:0!important;border-left:0!important;border-right:0!important}\n"
    ".stack{display:block!important;width:auto!important}\n"
    ".l{padding-bottom:0!important;border-bottom:0!important}\n"
    ".v{padding-top:1px!important}\n"
    ".h1{font-size:21px!important}\n"
    "}\n"
    "@media (prefers-color-scheme:dark){\n"
    ".page{background:#0f1317!important}\n"
    ".card{background:#181d23!important;border-color:#2c343d!important}\n"
    ".t{color:#e7eaee!important}\n"
    ".m{color:#9aa5b1!important}\n"
    ".line{border-color:#2c343d!important}\n"
    ".code{background:#0f1317!important;color:#d5dbe2!important;border-color:#2c343d!important}\n"
    ".bad{color:#ff8a7f!important}\n"
    ".good{color:#5fd39b!important}\n"
    ".warn{color:#f5b657!important}\n"
    ".band-bad{background:#8f1d14!important}\n"
    ".band-good{background:#0b5c3b!important}\n"
    ".band-warn{background:#8a4b08!important}\n"
    ".band-plain{background:#2b3a4d!important}\n"
    "}\n"
    "</style>\n";

// What a tone looks like: the band on top, and a mark in front of a step.
static const struct {
    const char *name, *band, *text, *mark;
} tones[] = {
    [VIEW_PLAIN] = {"plain", "#34495e", "#667085", "–"},
    [VIEW_BAD] = {"bad", "#b42318", "#b42318", "✕"},
    [VIEW_WARN] = {"warn", "#a15c07", "#a15c07", "!"},
    [VIEW_GOOD] = {"good", "#067647", "#067647", "✓"},
};

static void append_title(GString *html, const char *title)
{
    if (title == NULL)
        return;
    g_string_append(html, "<tr><td class=\"pad t\" style=\"padding:22px 28px 6px;" FONT
                          "font-size:15px;line-height:20px;font-weight:700;color:#101828\">");
    safe_text_append_html(html, title);
    g_string_append(html, "</td></tr>\n");
}

static void append_value(GString *html, const struct view_row *row)
{
    if (row->literal)
        g_string_append(html, "<span style=\"" MONO "font-size:13px\">");
    g_string_append(html, "<bdi>");
    safe_text_append_html(html, row->value);
    g_string_append(html, "</bdi>");
    if (row->literal)
        g_string_append(html, "</span>");
    if (row->note != NULL && *row->note != '\0') {
        gboolean whole = g_utf8_strlen(row->note, -1) <= 24;
        g_string_append_printf(html,
                               " <span class=\"m\" style=\"color:#667085;font-size:13px;"
                               "font-weight:400%s\"><bdi>",
                               whole ? ";white-space:nowrap" : "");
        safe_text_append_html(html, row->note);
        g_string_append(html, "</bdi></span>");
    }
}

// The two sizes of rows: the first answers, and the details below them.
struct row_style {
    const char *font, *label_width, *margin;
    gboolean key;
};

static const struct row_style key_style = {"font-size:15px;line-height:22px;", "130", "12px 28px 0",
                                           TRUE};
static const struct row_style detail_style = {"font-size:14px;line-height:20px;", "150", "0 28px",
                                              FALSE};

// First answers stand out, unless they are long: then bold letters tire.
static const char *weight_of(const struct row_style *style, const struct view_row *row)
{
    gboolean strong = row->tone == VIEW_BAD || g_utf8_strlen(row->value, -1) <= 80;

    return style->key && strong ? "font-weight:600;" : "";
}

// A label and a value; beside each other, or below each other on a narrow screen.
static void append_row(GString *html, const struct view_row *row, const struct row_style *style,
                       gboolean ruled)
{
    const char *line = ruled ? "border-bottom:1px solid #eaecf0;" : "";

    g_string_append_printf(html,
                           "<tr><td class=\"stack l m line\" width=\"%s\" valign=\"top\" style=\""
                           "width:%spx;padding:7px 12px 7px 0;%s" FONT "%scolor:#667085;"
                           "overflow-wrap:anywhere\">",
                           style->label_width, style->label_width, line, style->font);
    safe_text_append_html(html, row->label);
    g_string_append_printf(html,
                           "</td><td class=\"stack v t line\" valign=\"top\" style=\"padding:7px 0;"
                           "%s" FONT "%s%scolor:#101828;overflow-wrap:anywhere;"
                           "word-break:break-word\">",
                           line, style->font, weight_of(style, row));
    append_value(html, row);
    g_string_append(html, "</td></tr>\n");
}

// True where a line follows: not after the last row, nor within the values of one label.
static gboolean ends_group(const GPtrArray *rows, guint index)
{
    const struct view_row *next = index + 1 < rows->len ? g_ptr_array_index(rows, index + 1) : NULL;

    return next != NULL && *next->label != '\0';
}

static void append_rows(GString *html, const GPtrArray *rows, const struct row_style *style)
{
    if (rows->len == 0)
        return;
    g_string_append_printf(html,
                           "<tr><td class=\"pad\" style=\"padding:%s\"><table role=\"presentation\""
                           " width=\"100%%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" "
                           "style=\"table-layout:fixed\">\n",
                           style->margin);
    for (guint i = 0; i < rows->len; i++)
        append_row(html, g_ptr_array_index(rows, i), style, ends_group(rows, i));
    g_string_append(html, "</table></td></tr>\n");
}

static void append_step(GString *html, const struct view_row *row)
{
    g_string_append_printf(html,
                           "<tr><td class=\"%s\" width=\"22\" valign=\"top\" style=\"width:22px;"
                           "padding:5px 0;" FONT "font-size:15px;line-height:20px;font-weight:700;"
                           "color:%s\">%s</td>",
                           tones[row->tone].name, tones[row->tone].text, tones[row->tone].mark);
    g_string_append_printf(html,
                           "<td class=\"t\" style=\"padding:5px 0;" FONT "font-size:14px;"
                           "line-height:20px;color:#101828;overflow-wrap:anywhere;%s\">",
                           row->tone == VIEW_BAD ? "font-weight:700" : "");
    append_value(html, row);
    g_string_append(html, "</td></tr>\n");
}

static void append_steps(GString *html, const GPtrArray *rows)
{
    g_string_append(html,
                    "<tr><td class=\"pad\" style=\"padding:0 28px\"><table role=\"presentation\" "
                    "width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">\n");
    for (guint i = 0; i < rows->len; i++)
        append_step(html, g_ptr_array_index(rows, i));
    g_string_append(html, "</table></td></tr>\n");
}

static void append_code(GString *html, const char *text)
{
    g_string_append(html,
                    "<tr><td class=\"pad\" style=\"padding:4px 28px 0\"><pre class=\"code\" "
                    "dir=\"auto\" style=\"margin:0;padding:10px 12px;background:#f6f8fa;border:1px "
                    "solid #e4e7ec;border-radius:6px;" MONO "font-size:12.5px;line-height:18px;"
                    "color:#1d2939;white-space:pre-wrap;overflow-wrap:anywhere;"
                    "word-break:break-word\">");
    safe_text_append_html(html, text);
    g_string_append(html, "</pre></td></tr>\n");
}

static void append_text(GString *html, const char *text)
{
    g_string_append(html, "<tr><td class=\"pad t\" style=\"padding:16px 28px 0;" FONT
                          "font-size:15px;line-height:22px;color:#101828;white-space:pre-line;"
                          "overflow-wrap:anywhere\">");
    safe_text_append_html(html, text);
    g_string_append(html, "</td></tr>\n");
}

static void append_block(GString *html, const struct view_block *block)
{
    append_title(html, block->title);
    if (block->kind == VIEW_ROWS)
        append_rows(html, block->rows, &detail_style);
    else if (block->kind == VIEW_STEPS)
        append_steps(html, block->rows);
    else if (block->kind == VIEW_CODE)
        append_code(html, block->text);
    else
        append_text(html, block->text);
}

// The coloured band: what happened, readable from across the room.
static void append_band(GString *html, const struct view *view)
{
    g_string_append_printf(html,
                           "<tr><td class=\"pad band-%s\" bgcolor=\"%s\" style=\"padding:20px 28px;"
                           "background:%s\"><div style=\"" FONT "font-size:13px;line-height:18px;"
                           "color:#ffffff;opacity:.88\">",
                           tones[view->tone].name, tones[view->tone].band, tones[view->tone].band);
    safe_text_append_html(html, view->badge);
    g_string_append(html, "</div><div class=\"h1\" style=\"padding-top:4px;" FONT "font-size:24px;"
                          "line-height:30px;font-weight:700;color:#ffffff;"
                          "overflow-wrap:anywhere\"><bdi>");
    safe_text_append_html(html, view->headline);
    g_string_append(html, "</bdi></div>");
    if (view->summary != NULL) {
        g_string_append(html, "<div style=\"padding-top:6px;" FONT "font-size:15px;"
                              "line-height:21px;color:#ffffff;overflow-wrap:anywhere\"><bdi>");
        safe_text_append_html(html, view->summary);
        g_string_append(html, "</bdi></div>");
    }
    g_string_append(html, "</td></tr>\n");
}

static void append_footer(GString *html, const struct view *view)
{
    g_string_append(html, "<tr><td class=\"pad m\" style=\"padding:24px 28px 22px;" FONT
                          "font-size:12px;line-height:17px;color:#667085;"
                          "overflow-wrap:anywhere\">");
    safe_text_append_html(html, view->footer);
    g_string_append(html, "</td></tr>\n");
}

// What a list of mails shows behind the subject.
static void append_preview(GString *html, const struct view *view)
{
    const struct view_row *first = view->key->len > 0 ? g_ptr_array_index(view->key, 0) : NULL;
    const char *preview = view->summary;

    if (preview == NULL && first != NULL)
        preview = first->value;
    if (preview == NULL)
        return;
    g_string_append(html, "<div style=\"display:none;max-height:0;overflow:hidden\">");
    safe_text_append_html(html, preview);
    g_string_append(html, "</div>\n");
}

char *compose_html(const struct view *view)
{
    GString *html = g_string_sized_new(16384);

    g_string_append_printf(html, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n%s<title>",
                           view->language, head);
    safe_text_append_html(html, view->headline);
    g_string_append(html, "</title>\n</head>\n<body class=\"page\" style=\"margin:0;padding:0;"
                          "background:#f2f4f7\">\n");
    append_preview(html, view);
    g_string_append(html,
                    "<table role=\"presentation\" class=\"page\" width=\"100%\" "
                    "cellpadding=\"0\" cellspacing=\"0\" border=\"0\" "
                    "style=\"background:#f2f4f7\">\n<tr><td class=\"page\" align=\"center\" "
                    "style=\"padding:16px 8px\">\n<table role=\"presentation\" class=\"card\" "
                    "width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" "
                    "bgcolor=\"#ffffff\" style=\"max-width:640px;width:100%;"
                    "table-layout:fixed;background:#ffffff;border:1px solid #e4e7ec;"
                    "border-radius:8px;overflow:hidden;text-align:left\">\n");
    append_band(html, view);
    append_rows(html, view->key, &key_style);
    for (guint i = 0; i < view->blocks->len; i++)
        append_block(html, g_ptr_array_index(view->blocks, i));
    append_footer(html, view);
    g_string_append(html, "</table>\n</td></tr>\n</table>\n</body>\n</html>\n");
    return g_string_free(html, FALSE);
}
