// SPDX-License-Identifier: MIT
// The configuration as a value: asked by everyone, freed as a whole. config_read
// makes it.
#include "config.h"

#include "intern.h"

#include <gio/gio.h>

#include <sys/stat.h>
#include <unistd.h>

static void free_references(struct config_mail *mail)
{
    struct template *all[] = {mail->username,
                              mail->password,
                              mail->oauth2_token_url,
                              mail->oauth2_client_id,
                              mail->oauth2_client_secret,
                              mail->oauth2_scope,
                              mail->oauth2_refresh_token};

    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
        intern_release_template(all[i]);
}

void config_add_flow(struct config *config, struct config_flow *flow)
{
    if (config->by_id == NULL)
        config->by_id = g_hash_table_new(g_str_hash, g_str_equal);
    g_ptr_array_add(config->flows, flow);
    g_hash_table_insert(config->by_id, flow->id, flow);
}

struct config_flow *config_find_flow(const struct config *config, const char *id)
{
    return config->by_id != NULL ? g_hash_table_lookup(config->by_id, id) : NULL;
}

struct config_sweep *config_find_sweep(const struct config *config, const char *id)
{
    for (unsigned i = 0; i < config->sweeps->len; i++) {
        struct config_sweep *sweep = config->sweeps->pdata[i];

        if (g_str_equal(sweep->id, id))
            return sweep;
    }
    return NULL;
}

struct config_contact *config_find_contact(const struct config *config, const char *id)
{
    return g_hash_table_lookup(config->contacts, id);
}

const char *config_role_contact(const struct config_system *system, const char *role)
{
    return g_hash_table_lookup(system->act, role);
}

const struct config_system *config_step_system(const struct config_flow *flow,
                                               const struct step *step)
{
    return step->system != NULL ? step->system : flow->system;
}

bool config_flow_uses(const struct config_flow *flow, const char *system)
{
    bool uses = g_str_equal(flow->system->id, system);

    for (unsigned i = 0; !uses && flow->steps != NULL && i < flow->steps->len; i++)
        uses = g_str_equal(config_step_system(flow, flow->steps->pdata[i])->id, system);
    return uses;
}

bool config_is_loopback(const char *host)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);

    if (address == NULL)
        return g_ascii_strcasecmp(host, "localhost") == 0;
    return g_inet_address_get_is_loopback(address);
}

const char *config_default_path(void)
{
    return access("erpwatch.yaml", F_OK) == 0 ? "erpwatch.yaml" : "/etc/erpwatch/erpwatch.yaml";
}

char *config_literal_secret_readable(const struct config *config)
{
    for (unsigned i = 0; i < config->secret_files->len; i++) {
        const char *file = config->secret_files->pdata[i];
        struct stat status;

        if (stat(file, &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0)
            return g_strdup_printf("%s holds a secret as it is, and everybody can read the file: "
                                   "run chmod o-rwx %s, or write ${file:PATH} in its place",
                                   file, file);
    }
    return NULL;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    g_free(config->agent.timezone);
    g_free(config->agent.store);
    g_free(config->agent.mark);
    g_clear_pointer(&config->agent.online, g_ptr_array_unref);
    free_references(&config->mail);
    g_free(config->mail.server);
    g_free(config->mail.directory);
    g_free(config->mail.from);
    g_free(config->mail.fallback);
    g_free(config->mail.ca);
    g_clear_pointer(&config->by_id, g_hash_table_unref);
    g_clear_pointer(&config->flows, g_ptr_array_unref);
    g_clear_pointer(&config->sweeps, g_ptr_array_unref);
    g_clear_pointer(&config->systems, g_hash_table_unref);
    g_clear_pointer(&config->contacts, g_hash_table_unref);
    secret_store_free(config->secrets);
    g_clear_pointer(&config->secret_names, g_ptr_array_unref);
    g_clear_pointer(&config->secret_files, g_ptr_array_unref);
    g_free(config->digest);
    g_free(config);
}
