/* Protects: what each variable of a letter means, and which of several of one name wins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/variables.h"
#include "mail/mustache.h"

static char empty[] = "";

static void append_value(const char *value, GString *out)
{
    g_string_append(out, value);
}

static char *render(const char *text, Variables *variables)
{
    const MustacheOptions options = {.escape = append_value, .variable = variables_find, .variables = variables};
    g_autoptr(Mustache) mustache = mustache_parse(text, NULL);
    variables_init(variables);
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), variables->made);
    char *result = mustache_render(mustache, root, &options, NULL);
    variables_clear(variables);
    return result;
}

static void each_means_what_the_manual_says(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } table[] = {
        {"{{first_name}} {{last_name}}|{{name}}|{{email}}", "Eva Berg|Eva Berg|eva@firm.example"},
        {"{{plan}} {{attributes.plan}} {{contact.plan}}", "gold gold gold"},
        {"{{stage}} {{contact.stage}} {{attributes.stage}}", "pitching pitching old"},
        {"{{source}}", "fair"},
        {"{{company}} {{company.name}} {{company.city}}", "Acme Acme Oslo"},
        {"{{contact.company}} {{contact.company.city}} {{contact.name}}", "Acme Oslo Eva Berg"},
        {"{{#contact}}{{first_name}} {{plan}} {{rule}}{{/contact}}", "Eva gold y"},
        {"{{owner}}|{{owner.first_name}}|{{owner.email}}", "Anna Lie|Anna|anna@example.com"},
        {"{{organisation}} {{organisation.postal_address}}", "Berg & Sons Storgata 1"},
        {"{{rule}} {{step}}", "r s"},
        {"{{customer_since}}", "1970-01-01T00:00:01Z"},
        {"{{language}}{{nothing}}{{company.plan}}{{contact.nothing}}", ""},
        {"{{^language}}none{{/language}}{{#plan}} some{{/plan}}{{plan}}", "none somegold"},
    };
    char first[] = "Eva", last[] = "Berg", email[] = "eva@firm.example", stage[] = "pitching", company[] = "Acme";
    char attributes[] = "{\"plan\":\"gold\",\"stage\":\"old\",\"source\":\"fair\",\"owner\":\"x\",\"rule\":\"y\"}";
    char company_attributes[] = "{\"city\":\"Oslo\",\"name\":\"other\"}";
    const Contact contact = {.first_name = first,
                             .last_name = last,
                             .email = email,
                             .stage = stage,
                             .language = empty,
                             .source = empty,
                             .company = company,
                             .attributes = attributes,
                             .company_attributes = company_attributes,
                             .customer_since_ms = 1000};
    char account_name[] = "anna", from_name[] = "Anna Lie", from_address[] = "anna@example.com";
    const Account account = {.name = account_name, .from_name = from_name, .from_address = from_address};
    char organisation_name[] = "Berg & Sons", postal_address[] = "Storgata 1";
    const Organisation organisation = {.name = organisation_name, .postal_address = postal_address};
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        Variables variables = {
            .organisation = &organisation, .account = &account, .contact = &contact, .rule = "r", .step = "s"};
        g_autofree char *result = render(table[i].text, &variables);
        assert_string_equal(result, table[i].want);
    }
}

static void damaged_attributes_are_none(void **state)
{
    (void)state;
    char first[] = "Eva", damaged[] = "{\"plan\":";
    const Contact contact = {.first_name = first,
                             .last_name = empty,
                             .email = empty,
                             .stage = empty,
                             .language = empty,
                             .source = empty,
                             .company = empty,
                             .attributes = damaged,
                             .company_attributes = damaged};
    Variables variables = {.contact = &contact, .rule = "r", .step = "s"};
    g_autofree char *result = render("{{first_name}}{{plan}}{{company}}{{company.plan}}", &variables);
    assert_string_equal(result, "Eva");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_means_what_the_manual_says),
        cmocka_unit_test(damaged_attributes_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
