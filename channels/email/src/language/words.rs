//! Frequent words of each language, folded; help desks' own words among them, since requests are short.

use guichet_domain::language::Language;

/// Words by language. A word that several share counts less by itself: see `POINTS`.
pub(super) const LISTS: &[(Language, &str)] = &[
    (
        Language::En,
        "the and is are was were be been to of in on at for with from by an it this that these those i you he she we they my your our \
        their me him us them not no cannot can could would should will have has had do does did don doesn didn isn wasn can't please thanks \
        thank hello hi dear regards when what why how which who where since after before still again any some all there here but or if \
        as so because about into out up down over just only also more very need want get got help working work works issue problem \
        printer screen laptop computer password account access order invoice delivery parcel parcels customer phone call meeting office \
        broken error request update new old today tomorrow yesterday morning week monday tuesday wednesday thursday friday \
        door light reply automatic undeliverable urgent question server network email mail monitor online kind best sent team everyone it's i'm see below cheers fix fixed stopped \
        missing lost stuck slow keeps won't without login reset locked attached picture keyboard mouse badge",
    ),
    (
        Language::Fr,
        "le la les un une des du de et est sont etait a au aux en dans sur pour par avec sans ce cet cette ces il elle on nous vous ils \
        elles je tu mon ma mes votre vos notre nos leur son sa ses ne pas plus que qui quoi dont ou mais donc car si comme quand depuis \
        encore toujours tout tous toute tres bien aussi merci bonjour bonsoir salut cordialement madame monsieur bonne journee peux pouvez \
        pourriez peut suis ai avons avez ont ete fait faire faut besoin probleme panne imprimante ecran ordinateur mot passe compte acces \
        commande facture livraison colis client telephone bureau reseau absence demande erreur impossible marche fonctionne bloque \
        aujourd hier demain matin lundi mardi mercredi jeudi vendredi semaine c'est j'ai n'est d'un l'imprimante est-il svp merci messagerie \
        fichier dossier piece jointe ci-joint voir nouveau nouvelle clavier souris salle porte lumiere chauffage urgent retour suite etre cela ca y rien \
        veuillez jamais apres avant chez ici deja savoir jour jours mise congé collegue equipe toutes minutes minute chaque heure heures deux trois cinq jusqu depuis moment personne ligne site messages recois trouve possible merci-de service connexion connecter souci",
    ),
    (
        Language::De,
        "der die das den dem des ein eine einen einem einer und ist sind war waren nicht kein keine ich du er sie es wir ihr mich mir uns \
        ihnen mein meine meinen unser unsere ihre ihren mit von zu zum zur auf in im an am fur bei nach vor seit aus uber unter wenn weil dass ob \
        aber oder auch noch schon nur mehr sehr wie was wo wer warum bitte danke hallo guten tag sehr geehrte geehrter damen herren \
        freundlichen grussen gruss grusse viele kann konnen konnte mochte wurde werden wird haben hat habe hatte muss soll funktioniert geht \
        drucker bildschirm rechner computer passwort konto zugang bestellung rechnung lieferung paket kunde telefon buro netzwerk \
        fehler problem anfrage heute gestern morgen woche montag dienstag mittwoch donnerstag freitag defekt kaputt dringend hilfe \
        leider immer wieder jetzt druckt mehr anmelden anmeldung vielen dank gerne neue neuer neues anbei laptop server email mail account online halle ausfall netzwerkausfall toner leer stuhl tastatur maus monitor update door teams badge",
    ),
    (
        Language::Es,
        "el la los las un una unos y es son era no ni que de del al en con por para sin sobre desde hasta como cuando donde porque pero si \
        mi mis tu su sus nuestro nuestra yo usted ustedes nosotros me se le les lo ya muy mas tambien todavia todo todos esta este \
        esto estos estan estoy hay tengo tiene tenemos puedo puede pueden podria necesito hola buenos dias buenas tardes gracias saludos \
        estimado estimada favor cordial atentamente impresora pantalla ordenador contrasena cuenta acceso pedido factura entrega paquete \
        cliente telefono oficina red error problema solicitud hoy ayer manana semana lunes martes miercoles jueves viernes funciona \
        urgente ayuda desde correo no he ha sido nueva nuevo adjunto ratón teclado",
    ),
    (
        Language::It,
        "il lo la i gli le un uno una e ed e' sono era non ne che di del della dei delle al alla ai dal dalla in nel nella con su sul sulla \
        per tra senza come quando dove perche ma se anche ancora piu molto gia tutto tutti questo questa questi quello mio mia miei vostro vostra \
        nostro nostra suo sua io voi noi lei mi ti ci vi si ho ha abbiamo avete hanno posso puo potete potrebbe vorrei devo \
        buongiorno buonasera salve ciao grazie saluti cordiali distinti gentile gentili stampante schermo computer password conto accesso \
        ordine fattura consegna pacco cliente telefono ufficio rete errore problema richiesta oggi ieri domani settimana lunedi martedi \
        mercoledi giovedi venerdi funziona urgente aiuto laptop server email mail account tastiera allegato da stato prego nuovo nuova posta",
    ),
    (
        Language::Pt,
        "o a os as um uma uns e eh sao era nao nem que de do da dos das ao em no na nos nas com por pelo pela para sem sobre desde ate como \
        quando onde porque mas se meu minha meus minhas seu sua nosso nossa eu voce voces nos me lhe ja muito mais tambem ainda tudo todos este esta \
        isto esse essa isso ha tenho tem temos posso pode podem poderia preciso gostaria ola bom dia boa tarde noite obrigado obrigada \
        cumprimentos atenciosamente prezado prezados caro impressora ecra tela computador senha palavra-passe conta acesso encomenda pedido fatura entrega \
        cliente telefone escritorio rede erro problema solicitacao hoje ontem amanha semana segunda terca quarta quinta sexta funciona \
        urgente ajuda anexo estou foi esta novo nova correio consigo",
    ),
    (
        Language::Nl,
        "de het een en is zijn was waren niet geen ik jij hij zij wij jullie u mij ons mijn uw jouw onze hun met van naar voor door op in \
        aan bij uit over onder na sinds als omdat dat die dit deze maar of ook nog al alleen meer zeer heel hoe wat waar wie waarom wanneer \
        graag alstublieft bedankt dank hallo hoi goedemorgen goedemiddag beste geachte vriendelijke groet groeten kan kunnen kunt zou zullen \
        wil heeft heb hebben had moet moeten werkt doet printer scherm computer wachtwoord account toegang bestelling factuur levering pakket \
        klant telefoon kantoor netwerk fout probleem aanvraag vandaag gisteren morgen week maandag dinsdag woensdag donderdag vrijdag \
        storing dringend hulp kapot laptop server email mail toetsenbord muis bijlage er te om nieuwe nieuw weer steeds inloggen",
    ),
    // Languages met with no notices of their own: enough words to know that it is none of the above.
    (
        Language::Other,
        "nie jest sie na ze do od czy jak ale dla przez prosze dziekuje dzien dobry pozdrawiam moja moj nasz dziala drukarka haslo konto mam moge \
        och inte jag ar det som att har kan jeg ikke er og med til fra hei hej takk tak tack hilsen ikke virker fungerar skrivaren \
        ei ole ja etta mutta kiitos hei terveisin tulostin toimi neni ve bir bu icin degil merhaba tesekkurler yazici calismiyor lutfen \
        je ne neni se na prosim dobry den dekuji tiskarna nefunguje nem van egy es koszonom udvozlettel nyomtato mukodik sunt nu este pentru buna ziua multumesc \
        imprimanta nije hvala molim pozdrav",
    ),
];

/// Letters that point to a language by themselves.
pub(super) const MARKS: &[(&str, Language, u8)] = &[
    ("ßẞ", Language::De, 4),
    ("äüÄÜ", Language::De, 2),
    ("öÖ", Language::De, 1),
    ("ñ¿¡Ñ", Language::Es, 4),
    ("ãõÃÕ", Language::Pt, 4),
    ("çÇ", Language::Pt, 1),
    ("éçèùêûîœëÉÇÈÊŒ", Language::Fr, 1),
    ("àÀ", Language::Fr, 1),
    ("àèÀÈ", Language::It, 1),
    ("òìÒÌ", Language::It, 2),
    ("łżśźćńąęŁŻŚåøæÅØÆőűşğıčřžšěůțșăŠŽČ", Language::Other, 3),
];
